"""Published folders of random weights at reduced size."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from export.bundle.published import Published
from export.marian.family import FAMILY

Edit = Callable[..., Path]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("marian") / "opus-mt-en-es"
    FAMILY.synth(path, 1, "reduced")
    return path


@pytest.fixture(scope="session")
def published(folder: Path) -> Published:
    return FAMILY.read(folder)


@pytest.fixture(scope="session")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("marian") / "opus-mt-en-roa"
    FAMILY.synth(path, 1, "reduced-multilingual")
    return path


@pytest.fixture
def edited(folder: Path, tmp_path: Path) -> Edit:
    """Copy the folder with settings and tensors changed; None removes."""

    def edit(
        config: Mapping[str, Any] | None = None,
        tensors: Mapping[str, Any] | None = None,
        name: str = "opus-mt-en-es",
        **files: Mapping[str, Any] | None,
    ) -> Path:
        target = tmp_path / name
        shutil.copytree(folder, target)
        for file, changes in {"config": config or {}, **files}.items():
            path = target / f"{file}.json"
            if changes is None:
                path.unlink()
                continue
            content = json.loads(path.read_text("utf-8")) | dict(changes)
            path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), "utf-8")
        state = load_file(target / "model.safetensors") | dict(tensors or {})
        save_file({key: value for key, value in state.items() if value is not None}, target / "model.safetensors")
        return target

    return edit
