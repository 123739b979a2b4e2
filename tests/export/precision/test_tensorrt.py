import json

import pytest

from export.errors import PrecisionUnavailable
from export.family import check_offered, family
from export.precision import Job, precision, tensorrt
from export.precision.plan_builder import WORKSPACE_BYTES, build_plan
from export.precision.plan_shapes import Shapes, profile_shapes
from tests.fakes import tensorrt as fake

SHAPES = {"X": Shapes((1, 3), (8, 3), (64, 3))}


@pytest.fixture
def graph(tmp_path):
    path = tmp_path / "graph.onnx"
    path.write_bytes(b"graph")
    return path


@pytest.fixture
def with_tensorrt(monkeypatch, tmp_path):
    """As if the package tensorrt were installed."""
    monkeypatch.setattr(tensorrt, "import_module", lambda name: {"tensorrt": fake}[name])
    monkeypatch.setattr(tensorrt, "_CACHES", tmp_path / "caches")
    return tmp_path / "caches"


def test_the_graphs_own_types_and_the_profile_reach_the_builder(graph, tmp_path):
    plan = json.loads(build_plan(fake, graph, SHAPES, tmp_path / "timing"))
    assert plan == {
        "graph": "graph",
        "flags": [],
        "limits": {"workspace": WORKSPACE_BYTES},
        "profiles": [{"X": [[1, 3], [8, 3], [64, 3]]}],
    }


def test_timings_are_kept_for_the_next_build(graph, tmp_path):
    cache = tmp_path / "not" / "there" / "timing"
    for known in (b"+layers", b"+layers+layers"):
        build_plan(fake, graph, SHAPES, cache)
        assert cache.read_bytes() == known


def test_a_graph_that_tensorrt_does_not_know_is_refused_with_every_reason(graph, tmp_path):
    graph.write_bytes(b"broken")
    with pytest.raises(PrecisionUnavailable, match="node 0 is unknown; node 1 is unknown"):
        build_plan(fake, graph, SHAPES, tmp_path / "timing")


def test_a_plan_that_cannot_be_built_is_an_error_and_leaves_no_cache(graph, tmp_path):
    graph.write_bytes(b"too big")
    with pytest.raises(PrecisionUnavailable, match="could not build"):
        build_plan(fake, graph, SHAPES, tmp_path / "timing")
    assert not (tmp_path / "timing").exists()


def test_a_version_in_single_precision_holds_the_plan_alone(graph, with_tensorrt, tmp_path):
    folder = tmp_path / "7"
    folder.mkdir()
    precision("tensorrt_fp32").build(Job(graph, folder, family("wav2lip"), 0))
    assert [path.name for path in folder.iterdir()] == ["model.plan"]
    plan = json.loads((folder / "model.plan").read_bytes())
    wanted = profile_shapes(family("wav2lip").signature.inputs)
    assert plan["profiles"] == [{name: [list(size) for size in shapes] for name, shapes in wanted.items()}]
    assert [path.name for path in with_tensorrt.iterdir()] == [f"timing-{fake.__version__}.cache"]


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt_fp32"])
def test_without_tensorrt_the_error_says_where_to_run_what(name):
    with pytest.raises(PrecisionUnavailable) as refusal:
        precision(name).check_available()
    assert "not installed" in str(refusal.value)
    assert "docker run --rm --gpus all" in str(refusal.value)
    assert "deploy/triton/build_plan.sh" in str(refusal.value)


def test_without_a_gpu_the_error_says_so(with_tensorrt, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(PrecisionUnavailable, match="here is none"):
        precision("tensorrt").check_available()


@pytest.mark.parametrize("name", ["wav2lip", "s3fd"])
def test_both_families_offer_plans_of_both_precisions(name):
    for offered in ("tensorrt", "tensorrt_fp32"):
        check_offered(family(name), offered)
