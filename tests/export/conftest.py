"""The tiny family among the families, and a repository with nothing in it."""

from pathlib import Path

import pytest

from export.family import FAMILIES
from export.precision import PRECISIONS
from tests.fakes.tiny_family import TinyFamily


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> TinyFamily:
    """Known to the exporter by its name, with the precision `coarse`."""
    from tests.fakes.tiny_family import FAMILY

    monkeypatch.setitem(FAMILIES, "tiny", "tests.fakes.tiny_family")  # type: ignore[arg-type]
    monkeypatch.setitem(PRECISIONS, "coarse", "tests.fakes.coarse_precision")  # type: ignore[arg-type]
    return FAMILY


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder
