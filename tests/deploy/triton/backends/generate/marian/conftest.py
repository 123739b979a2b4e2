"""Versions of Opus-MT models as the exporter writes them, without graphs: the front-end reads none."""

import json
from pathlib import Path

import pytest
from generate.folder import SETTINGS_FILE, read_folder
from generate.frontend import open_front_end
from generate.marian.front_end import MarianFrontEnd
from generate.marian.vocabulary import Vocabulary

from export.marian.family import FAMILY

VOCAB_SIZE = 1500


def version_of(folder: Path, size: str, name: str) -> Path:
    published, version = folder / name, folder / "1"
    FAMILY.synth(published, 1, size)
    version.mkdir()
    FAMILY.write_files(FAMILY.read(published), version)
    return version


@pytest.fixture(scope="session")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """English to Spanish; the published folder lies beside it."""
    return version_of(tmp_path_factory.mktemp("pair"), "reduced", "opus-mt-en-es")


@pytest.fixture(scope="session")
def multilingual_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """English to ca, es, fr, pt."""
    return version_of(tmp_path_factory.mktemp("many"), "reduced-multilingual", "opus-mt-en-roa")


@pytest.fixture(scope="session")
def vocabulary(version: Path) -> Vocabulary:
    return Vocabulary(version, VOCAB_SIZE)


@pytest.fixture(scope="session")
def front_end(version: Path) -> MarianFrontEnd:
    return opened(version)


@pytest.fixture(scope="session")
def multilingual(multilingual_version: Path) -> MarianFrontEnd:
    return opened(multilingual_version)


def opened(version: Path, **parameters: str) -> MarianFrontEnd:
    found = open_front_end(read_folder(version), parameters)
    assert isinstance(found, MarianFrontEnd)
    return found


@pytest.fixture
def edited(version: Path, tmp_path: Path):
    """Copy the version; `generation` changes fields of generation.json, `files` replaces whole files."""

    def edit(generation=None, files=None) -> Path:
        for path in version.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        settings = json.loads((tmp_path / SETTINGS_FILE).read_text("utf-8")) | (generation or {})
        (tmp_path / SETTINGS_FILE).write_text(json.dumps(settings), "utf-8")
        for name, content in (files or {}).items():
            (tmp_path / name).write_bytes(content)
        return tmp_path

    return edit
