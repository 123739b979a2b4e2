"""Opus-MT models of random weights in a private model repository, for tests that serve them."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from deploy.triton.embedded import CHECKOUT
from export.marian.family import FAMILY
from tests.engine_folder import write_graphs

ENGINE = "mt_opus"


def router_repository(folder: Path) -> Path:
    """Make a repository that has mt_opus and no model of a pair."""
    repository = folder / "models"
    source = CHECKOUT / "model_repository" / ENGINE
    shutil.copytree(source, repository / ENGINE, ignore=shutil.ignore_patterns("__pycache__"))
    return repository


def add_pairs(repository: Path, pairs: Sequence[str], size: str = "reduced") -> Path:
    """Add a model for each pair ("en-es"), all of one published folder; return that folder.

    The graphs are traced once. The gate is the exporter's and its tests': here it is left out.
    """
    folder = repository.parent / "opus-mt-en-es"
    FAMILY.synth(folder, 1, size)
    read = FAMILY.read(folder)
    graphs = repository.parent / "graphs"
    graphs.mkdir()
    write_graphs(FAMILY, FAMILY.load(read), graphs)
    for pair in pairs:
        stated = FAMILY.stated(read, [pair])
        model = repository / FAMILY.triton_model(stated)
        shutil.copytree(graphs, model / "1")
        (model / "config.pbtxt").write_text(FAMILY.config(stated), "utf-8")
        FAMILY.write_files(stated, model / "1")
    return folder
