"""The whole way from a file to a version, with the tiny family; its end to end with Wav2Lip is in wav2lip/."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from client.sample import Check, differences, read_sample
from export.checkpoint import sha256_of
from export.errors import (
    CheckpointRefused,
    ExportError,
    KeysMismatch,
    NotFinite,
    ParityMissed,
    SignatureMismatch,
    UnknownName,
    VersionExists,
)
from export.exporter import Request, export_version, synthesise
from export.onnx_file import read_metadata
from export.runtime import open_graph
from tests.fakes.tiny_family import TinyFamily

pytestmark = pytest.mark.usefixtures("tiny")

CONFIG = """name: "tiny_model" backend: "onnxruntime" max_batch_size: 4
input [ { name: "PICTURES" data_type: TYPE_UINT8 dims: [ 12, 14, 3 ] } ]
output [ { name: "MOVED" data_type: TYPE_UINT8 dims: [ 12, 14, 3 ] } ]"""


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    synthesise("tiny", tmp_path / "tiny.pth", seed=1, width=None)
    return tmp_path / "tiny.pth"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_config(repository: Path, text: str = CONFIG) -> None:
    (repository / "tiny_model").mkdir()
    (repository / "tiny_model" / "config.pbtxt").write_text(text)


def change(path: Path, **tensors: torch.Tensor | None) -> None:
    """Replace tensors of a checkpoint; None removes one."""
    state = torch.load(path, weights_only=True)["state_dict"]
    changed = {f"module.{key.replace('_', '.', 1)}": tensor for key, tensor in tensors.items()}
    kept = {key: tensor for key, tensor in (state | changed).items() if tensor is not None}
    torch.save({"state_dict": kept}, path)


def test_a_version_holds_the_graph_and_a_manifest_that_says_all_about_it(repository, checkpoint):
    with_config(repository)
    started = datetime.now(UTC).replace(microsecond=0)
    done = export_version(Request("tiny", checkpoint, "fp32", repository, seed=77))
    assert (done.version, done.folder) == (1, repository / "tiny_model" / "1")
    assert done.configs == (repository / "tiny_model" / "config.pbtxt",)
    assert set(content(repository)) == {
        f"tiny_model/{name}"
        for name in ("config.pbtxt", "1/model.onnx", "1/manifest.json", "1/sample.npz", "1/sample.json")
    }

    manifest = json.loads((done.folder / "manifest.json").read_text())
    assert manifest["checkpoint"] == {"file_name": "tiny.pth", "sha256": sha256_of(checkpoint)}
    assert (manifest["family"], manifest["model"], manifest["precision"]) == ("tiny", "tiny_model", "fp32")
    assert manifest["licence"] == TinyFamily.licence
    assert started <= datetime.fromisoformat(manifest["created_at"]) <= datetime.now(UTC)
    assert [parity["precision"] for parity in manifest["parity"]] == ["fp32", "fp32"]
    assert [parity["seed"] for parity in manifest["parity"]] == [77, 77]
    assert manifest["parity"][0]["figures"][1]["tensor"] == "MOVED_FLOAT"
    assert manifest["signature"]["inputs"] == [{"name": "PICTURES", "data_type": "UINT8", "dims": [12, 14, 3]}]
    assert {"torch", "onnx", "onnxruntime", "python"} <= manifest["tools"].keys()
    assert read_metadata(done.folder / "model.onnx") == {
        "polylip.precision": "fp32",
        "polylip.family": "tiny",
        "polylip.checkpoint_sha256": sha256_of(checkpoint),
    }


def test_a_version_comes_with_a_sample_of_what_it_answers(repository, checkpoint):
    done = export_version(Request("tiny", checkpoint, "fp32", repository))
    sample = read_sample(done.folder, "tiny_model")
    assert sample.inputs["PICTURES"].shape == (1, 12, 14, 3)
    assert sample.checks == {"MOVED": Check("near", (3,))}
    assert differences(sample, open_graph(done.folder / "model.onnx")(sample.inputs)) == []
    other = export_version(Request("tiny", checkpoint, "fp16", repository))
    assert (read_sample(other.folder, "tiny_model").inputs["PICTURES"] == sample.inputs["PICTURES"]).all()


def test_the_installed_graph_has_the_served_outputs_only(repository, checkpoint):
    done = export_version(Request("tiny", checkpoint, "fp32", repository))
    assert list(open_graph(done.folder / "model.onnx")(TinyFamily().samples(np.random.default_rng(0), 2))) == ["MOVED"]


def test_half_precision_keeps_the_tensors_at_its_border(repository, checkpoint):
    done = export_version(Request("tiny", checkpoint, "fp16", repository))
    inputs = TinyFamily().samples(np.random.default_rng(0), 3)
    assert open_graph(done.folder / "model.onnx")(inputs)["MOVED"].dtype == np.uint8
    assert read_metadata(done.folder / "model.onnx")["polylip.precision"] == "fp16"
    assert done.parities[-1].precision == "fp16"
    assert done.parities[-1].figures[0].ssim > 0.95


def test_every_export_draws_its_own_inputs_and_takes_the_next_number(repository, checkpoint):
    first, second = (export_version(Request("tiny", checkpoint, "fp32", repository)) for _ in range(2))
    assert (first.version, second.version) == (1, 2)
    assert first.parities[0].seed != second.parities[0].seed


REFUSALS = [
    ("family", UnknownName, lambda path: {"family": "other"}),
    ("precision", UnknownName, lambda path: {"precision": "int8"}),
    ("version", VersionExists, lambda path: {"version": 1}),
    ("missing key", KeysMismatch, lambda path: change(path, **{"0_bias": None})),
    ("extra key", KeysMismatch, lambda path: change(path, extra_weight=torch.zeros(1))),
    ("shape", KeysMismatch, lambda path: change(path, **{"0_bias": torch.zeros(9)})),
    ("nan", NotFinite, lambda path: change(path, **{"0_bias": torch.full([3], torch.nan)})),
    ("nan in outputs", NotFinite, lambda path: change(path, **{"1_running_var": torch.full([3], -1.0)})),
    ("truncated", CheckpointRefused, lambda path: path.write_bytes(path.read_bytes()[:1000])),
    ("no state dict", CheckpointRefused, lambda path: torch.save([1, 2], path)),
    ("parity", ParityMissed, lambda path: {"precision": "coarse"}),
]  # fmt: skip


@pytest.mark.parametrize(("error", "spoil"), [each[1:] for each in REFUSALS], ids=[each[0] for each in REFUSALS])
def test_what_cannot_become_a_version_is_one_error_and_leaves_the_repository_alone(
    repository, checkpoint, error, spoil
):
    with_config(repository)
    (repository / "tiny_model" / "1").mkdir()
    (repository / "tiny_model" / "1" / "model.onnx").write_text("the one that serves")
    before = content(repository)
    asked = {"family": "tiny", "precision": "fp32", "version": 2}
    changed = spoil(checkpoint)
    asked |= changed if isinstance(changed, dict) else {}
    with pytest.raises(error):
        export_version(Request(asked["family"], checkpoint, asked["precision"], repository, asked["version"]))
    assert content(repository) == before
    assert sorted(path.name for path in (repository / "tiny_model").iterdir()) == ["1", "config.pbtxt"]


@pytest.mark.parametrize("folder", [".", "configs"])
def test_a_graph_that_the_models_config_does_not_describe_is_refused(repository, checkpoint, folder):
    with_config(repository)
    (repository / "tiny_model" / folder).mkdir(exist_ok=True)
    (repository / "tiny_model" / folder / "config.pbtxt").write_text(CONFIG.replace("14", "15"))
    with pytest.raises(SignatureMismatch, match="inputs are PICTURES UINT8"):
        export_version(Request("tiny", checkpoint, "fp32", repository))


@pytest.mark.parametrize("last", ["tracing the graph", "installing"])
def test_an_interrupted_export_leaves_nothing(repository, checkpoint, last):
    def interrupt(step: str) -> None:
        if step == last:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_version(Request("tiny", checkpoint, "fp32", repository), interrupt)
    assert list(repository.iterdir()) == []


def test_random_checkpoints_are_the_seeds_alone(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        synthesise("tiny", tmp_path / name, seed, 1.0)
    states = [torch.load(tmp_path / name, weights_only=True)["state_dict"]["module.0.weight"] for name in "abc"]
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_a_random_checkpoint_never_replaces_a_file(tmp_path, checkpoint):
    with pytest.raises(ExportError, match="exists already"):
        synthesise("tiny", checkpoint, 1, 1.0)
    with pytest.raises(ExportError, match="tiny: width must be 1"):
        synthesise("tiny", tmp_path / "half.pth", 1, 0.5)
    assert not (tmp_path / "half.pth").exists()
