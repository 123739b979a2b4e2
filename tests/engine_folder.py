"""A model's folder for a repository of a test's own: its config with other parameters, a version without the gate."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.triton.embedded import CHECKOUT
from export.bundle.family import BundleFamily


def engine_folder(engine: str, repository: Path, parameters: Mapping[str, str] | None = None) -> Path:
    """Copy `engine` of the project's repository into another; `parameters` replace or join those of its config."""
    model = repository / engine
    shutil.copytree(CHECKOUT / "model_repository" / engine, model, ignore=shutil.ignore_patterns("[0-9]*"))
    config = model / "config.pbtxt"
    text = config.read_text("utf-8")
    for key, value in (parameters or {}).items():
        text, found = re.subn(rf'(key: "{key}" value: {{ string_value: )"[^"]*"', rf'\g<1>"{value}"', text)
        if not found:
            text += f'parameters {{ key: "{key}" value: {{ string_value: "{value}" }} }}\n'
    config.write_text(text, "utf-8")
    return model


def write_version(family: BundleFamily, checkpoint: Path, version: Path) -> None:
    """Write what the exporter would install, without its gate, which has tests of its own and takes a minute."""
    version.mkdir(parents=True)
    published = family.read(checkpoint)
    family.write_files(published, version)
    write_graphs(family, family.load(published), version)


def write_graphs(family: BundleFamily, module: Any, folder: Path) -> None:
    """Write the graphs of a loaded network, in fp32."""
    from export.bundle.onnx_files import write  # these need torch, which not every test has
    from export.seq2seq.reorder import write_reorder

    for graph in family.graphs(module):
        write(graph, graph.path(folder))
        if graph.role == "decoder" and family.cache_grows:
            write_reorder(graph.inputs, folder / "reorder.onnx")
