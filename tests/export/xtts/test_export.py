"""From a published folder to a version, with the gate's place taken: the gate has its own tests."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from export.bundle import onnx_files
from export.bundle.exporter import BundleRequest, export_bundle
from export.bundle.measure import GateRecord
from export.errors import ExportError, PrecisionUnavailable, UnknownName
from export.onnx_file import read_metadata
from export.xtts.family import XttsFamily

GRAPHS = ("conditioning", "decoder", "embed", "speaker", "text", "vocoder")
FILES = {*(f"{role}.onnx" for role in GRAPHS), "generation.json", "manifest.json", "vocab.json", "voices.npz"}


@pytest.fixture
def export(xtts_folder, xtts_graphs, tmp_path, monkeypatch):
    """Export; the graphs are those that were traced before, and the gate lets everything pass."""
    asked: list[tuple[str, tuple[str, ...], bool]] = []

    def gate(self, published, run, folder, precision, seed, progress):
        asked.append((precision, tuple(sorted(run)), (folder / "generation.json").is_file()))
        return GateRecord(precision, seed, "nothing", {}, ())

    def copied(graph, path: Path) -> None:
        shutil.copyfile(xtts_graphs / path.name, path)

    monkeypatch.setattr(XttsFamily, "gate", gate)
    monkeypatch.setattr(onnx_files, "write", copied)
    monkeypatch.setattr("export.bundle.exporter.open_written", lambda path: path)
    (tmp_path / "repository").mkdir()

    def run(precision: str):
        made = export_bundle(BundleRequest("xtts", xtts_folder, precision, tmp_path / "repository", seed=1))
        return made, asked

    return run


def test_a_version_has_the_six_graphs_and_what_lies_beside_them(export, xtts_folder):
    made, asked = export("fp32")
    assert (made.model, made.version) == ("tts_xtts", 1)
    assert "non-commercial" in made.licence
    assert {path.name for path in made.folder.iterdir()} == FILES
    assert asked == [("fp32", GRAPHS, True)]
    assert (made.folder / "vocab.json").read_bytes() == (xtts_folder / "vocab.json").read_bytes()
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert (manifest["family"], manifest["precision"]) == ("xtts", "fp32")
    assert set(manifest["signature"]) == set(manifest["formats"]) == set(GRAPHS)
    generation = json.loads((made.folder / "generation.json").read_text())
    assert (generation["family"], generation["layers"]) == ("xtts", 2)
    with np.load(made.folder / "voices.npz") as voices:
        assert voices["latents"].shape == (2, 32, 64)


def test_int8_is_of_the_decoder_and_the_vocoder_says_what_its_floats_are(export, monkeypatch):
    monkeypatch.setattr("export.precision.graphs.processor_has_bf16", lambda: True)
    made, asked = export("int8")
    assert [precision for precision, _, _ in asked] == ["fp32", "int8"]
    formats = json.loads((made.folder / "manifest.json").read_text())["formats"]
    assert [role for role in GRAPHS if formats[role]["weights"] != "fp32"] == ["decoder"]
    marks = read_metadata(made.folder / "vocoder.onnx")
    assert (marks["polylip.precision"], marks["polylip.float_layers"]) == ("int8", "bf16")
    assert marks["polylip.family"] == "xtts"


def test_bf16_is_refused_where_nothing_computes_in_it(export, monkeypatch):
    monkeypatch.setattr("export.precision.bf16.processor_has_bf16", lambda: False)
    with pytest.raises(PrecisionUnavailable, match="no bfloat16 arithmetic"):
        export("bf16")


def test_bf16_leaves_everything_but_the_vocoder_in_fp32(export, monkeypatch):
    monkeypatch.setattr("export.precision.bf16.processor_has_bf16", lambda: True)
    made, _ = export("bf16")
    formats = json.loads((made.folder / "manifest.json").read_text())["formats"]
    assert {formats[role]["weights"] for role in GRAPHS} == {"fp32"}
    assert read_metadata(made.folder / "vocoder.onnx")["polylip.precision"] == "bf16"


def test_a_precision_that_the_family_lacks_is_refused(export):
    with pytest.raises(UnknownName, match="there are fp32, bf16, int8"):
        export("fp16")


def test_it_takes_no_language_pair(xtts_folder, tmp_path):
    with pytest.raises(ExportError, match="xtts takes no language pair"):
        export_bundle(BundleRequest("xtts", xtts_folder, "fp32", tmp_path, pairs=("en-es",)))
