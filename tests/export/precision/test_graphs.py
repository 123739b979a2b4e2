from pathlib import Path

import numpy as np
import onnx
import pytest

from export.errors import UnknownName
from export.onnx_file import read_metadata
from export.precision.graphs import FORMATS, open_written, write_graph
from tests.export.precision import small_graph


@pytest.fixture
def text_graph(tmp_path: Path) -> Path:
    return small_graph.write(tmp_path / "source.onnx")


@pytest.fixture
def sound_graph(tmp_path: Path) -> Path:
    return small_graph.write(tmp_path / "source.onnx", of_sound=True)


def share_of_difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean() / other.std())


@pytest.mark.parametrize("role", ["encoder", "decoder"])
def test_int8_of_text_computes_nearly_what_fp32_does(text_graph: Path, tmp_path: Path, role: str) -> None:
    target = tmp_path / "target.onnx"
    described = write_graph(text_graph, target, role, "int8")
    inputs = small_graph.inputs()
    expected, got = open_written(text_graph)(inputs)["logits"], open_written(target)(inputs)["logits"]
    assert got.shape == expected.shape
    assert 0 < share_of_difference(got, expected) < 0.02
    assert described["weights"].startswith("int8 in blocks")
    assert small_graph.operators(target).count("MatMulNBits") == 3


def test_an_embedding_tied_to_the_logits_is_stored_once(text_graph: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.onnx"
    write_graph(text_graph, target, "decoder", "int8")
    numbers = small_graph.WORDS * small_graph.WIDTH
    assert text_graph.stat().st_size > 2 * 4 * numbers  # twice in fp32
    assert target.stat().st_size < 1.3 * numbers  # once in bytes, its scales, the small weights


def test_int8_of_text_gives_each_row_what_it_gives_it_alone(text_graph: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.onnx"
    write_graph(text_graph, target, "decoder", "int8")
    run, ids = open_written(target), small_graph.inputs(rows=5)["ids"]
    together = run({"ids": ids})["logits"]
    alone = np.concatenate([run({"ids": row[None]})["logits"] for row in ids])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-4)


def test_int8_of_sound_computes_nearly_what_fp32_does_in_products_of_their_own(
    sound_graph: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target.onnx"
    described = write_graph(sound_graph, target, "encoder", "int8")
    inputs = small_graph.inputs(of_sound=True)
    expected, got = open_written(sound_graph)(inputs)["last"], open_written(target)(inputs)["last"]
    assert 0 < share_of_difference(got, expected) < 0.03
    assert described["weights"] == "int8 per column"
    made = small_graph.operators(target)
    assert made.count("DynamicQuantizeMatMul") == 4  # the product that was cut in three became three
    assert "Split" not in made


@pytest.mark.parametrize(("role", "precision"), [("decoder", "fp32"), ("reorder", "int8"), ("embed", "int8")])
def test_fp32_and_other_roles_stay_exactly_what_they_were(
    text_graph: Path, tmp_path: Path, role: str, precision: str
) -> None:
    target = tmp_path / "target.onnx"
    assert write_graph(text_graph, target, role, precision)["weights"] == "fp32"
    inputs = small_graph.inputs()
    assert np.array_equal(open_written(target)(inputs)["logits"], open_written(text_graph)(inputs)["logits"])


def test_an_unknown_precision_names_those_there_are(text_graph: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=", ".join(FORMATS)):
        write_graph(text_graph, tmp_path / "target.onnx", "decoder", "int9")


@pytest.mark.parametrize(
    ("precision", "has_bf16", "marks"),
    [
        ("fp32", True, {"polylip.precision": "fp32"}),
        ("bf16", True, {"polylip.precision": "bf16"}),
        ("int8", True, {"polylip.precision": "int8", "polylip.float_layers": "bf16"}),
        ("int8", False, {"polylip.precision": "int8", "polylip.float_layers": "fp32"}),
    ],
)
def test_a_vocoder_stays_as_it_is_and_says_what_it_is_computed_in(
    text_graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, has_bf16: bool, marks: dict
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : avx512_bf16\n" if has_bf16 else "flags : avx2\n")
    monkeypatch.setattr("export.precision.graphs.CPUINFO", cpuinfo)
    monkeypatch.setattr("export.precision.graphs.processor_has_bf16", lambda: has_bf16)
    target = tmp_path / "vocoder.onnx"
    described = write_graph(text_graph, target, "vocoder", precision)
    assert read_metadata(target) == marks
    rounded = "bf16" in marks.values()
    assert (described["weights"], described["activations"]) == ("fp32", "bf16" if rounded else "fp32")
    assert described["INFERENCE_PRECISION_HINT"] == ("bf16" if rounded else "f32")
    assert onnx.load(target).graph == onnx.load(text_graph).graph


def test_a_vocoder_is_run_as_the_server_runs_it(text_graph: Path, tmp_path: Path) -> None:
    target = tmp_path / "vocoder.onnx"
    write_graph(text_graph, target, "vocoder", "fp32")
    run, inputs = open_written(target), small_graph.inputs()
    assert run.session.get_providers()[0] == "OpenVINOExecutionProvider"
    np.testing.assert_allclose(run(inputs)["logits"], open_written(text_graph)(inputs)["logits"], rtol=0, atol=1e-4)
