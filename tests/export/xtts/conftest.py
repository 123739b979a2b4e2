"""A reduced random XTTS-v2 as a folder, its graphs, what runs them, and the original of it: made once."""

from pathlib import Path

import pytest

from export.bundle.onnx_files import write
from export.precision.graphs import open_written
from export.xtts.family import FAMILY
from export.xtts.published import WEIGHTS, published_settings, read_weights
from export.xtts.reference import Reference
from export.xtts.settings import XttsSettings

SEED = 3


@pytest.fixture(scope="session")
def xtts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "xtts-reduced"
    FAMILY.synth(path, SEED, "reduced")
    return path


@pytest.fixture(scope="session")
def xtts_settings(xtts_folder: Path) -> XttsSettings:
    return published_settings(FAMILY.read(xtts_folder))


@pytest.fixture(scope="session")
def xtts_graphs(xtts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graphs")
    for graph in FAMILY.graphs(FAMILY.load(FAMILY.read(xtts_folder))):
        write(graph, graph.path(folder))
    return folder


@pytest.fixture(scope="session")
def xtts_run(xtts_graphs: Path):
    return {path.stem: open_written(path) for path in sorted(xtts_graphs.glob("*.onnx"))}


@pytest.fixture(scope="session")
def xtts_reference(xtts_folder: Path) -> Reference:
    return Reference(xtts_folder, read_weights(xtts_folder / WEIGHTS))
