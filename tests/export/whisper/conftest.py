"""A reduced random Whisper as a folder and as openai's file, its graphs, and what runs them: made once."""

from pathlib import Path

import pytest

from export.bundle.onnx_files import write
from export.precision.graphs import open_written
from export.seq2seq.reorder import write_reorder
from export.whisper.family import FAMILY, WhisperFamily

SEED = 3


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "whisper-reduced"
    FAMILY.synth(path, SEED, "reduced")
    return path


@pytest.fixture(scope="session")
def whisper_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "reduced.pt"
    FAMILY.synth(path, SEED, "reduced.en")
    return path


@pytest.fixture(scope="session")
def whisper_graphs(whisper_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graphs")
    for graph in FAMILY.graphs(FAMILY.load(FAMILY.read(whisper_folder))):
        write(graph, graph.path(folder))
        if graph.role == "decoder":
            write_reorder(graph.inputs, folder / "reorder.onnx")
    return folder


@pytest.fixture(scope="session")
def whisper_run(whisper_graphs: Path):
    return {role: open_written(whisper_graphs / f"{role}.onnx") for role in ("encoder", "decoder", "reorder")}


@pytest.fixture
def few_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate compares 64 sources; here a few will do."""
    monkeypatch.setattr(WhisperFamily, "sources", 3)
