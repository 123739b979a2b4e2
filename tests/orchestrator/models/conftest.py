from pathlib import Path

import numpy as np
import pytest

from client.sample import EQUAL, Sample, write_sample
from orchestrator.models.keeping import Keeper
from orchestrator.models.repository import RepositoryFolder
from orchestrator.models.swap import Swapper
from tests.fakes.served_models import FakePins, FakeServedModels

CONFIG = """name: "m"  # the model
backend: "python"
max_batch_size: 4
output [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]
"""
ENSEMBLE = """name: "around"
platform: "ensemble"
output [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]
ensemble_scheduling { step [ { model_name: "m" model_version: -1 } ] }
"""


def add_version(root: Path, version: int, model: str = "m") -> None:
    folder = root / model / str(version)
    folder.mkdir(parents=True)
    (folder / "weights").write_text(str(version))
    heard = {"TEXT": np.array([[f"version {version}"]])}
    write_sample(folder, Sample({"X": np.zeros((1, 2), np.float32)}, heard, {"TEXT": EQUAL}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with m (versions 1, 2, 3) and an ensemble around it."""
    for version in (1, 2, 3):
        add_version(tmp_path, version)
    (tmp_path / "m" / "config.pbtxt").write_text(CONFIG)
    (tmp_path / "m" / "configs").mkdir()
    (tmp_path / "m" / "configs" / "gpu.pbtxt").write_text(CONFIG)
    (tmp_path / "around" / "1").mkdir(parents=True)
    (tmp_path / "around" / "config.pbtxt").write_text(ENSEMBLE)
    return tmp_path


@pytest.fixture
def folder(root: Path) -> RepositoryFolder:
    return RepositoryFolder(root)


@pytest.fixture
def triton(root: Path) -> FakeServedModels:
    """Version 1 is served."""
    served = FakeServedModels(root)
    served.ready["m"] = (1,)
    return served


@pytest.fixture
def pins() -> FakePins:
    return FakePins()


@pytest.fixture
def swapper(folder: RepositoryFolder, triton: FakeServedModels, pins: FakePins) -> Swapper:
    return Swapper(folder, triton, pins)


@pytest.fixture
def keeper(folder: RepositoryFolder, triton: FakeServedModels, pins: FakePins) -> Keeper:
    return Keeper(folder, triton, pins, drain_s=3600.0)
