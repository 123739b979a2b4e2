"""Whisper in a private embedded Triton, from a checkpoint that was made up."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.triton.embedded import CHECKOUT, EmbeddedTriton
from export.bundle.onnx_files import trace
from export.seq2seq.reorder import write_reorder
from export.whisper.family import FAMILY
from tests.killed_servers import serving

ENGINE = "stt_whisper"


def write_version(checkpoint: Path, version: Path) -> None:
    """Write what the exporter would install, without its gate, which has tests of its own and takes a minute."""
    version.mkdir(parents=True)
    published = FAMILY.read(checkpoint)
    FAMILY.write_files(published, version)
    for graph in FAMILY.graphs(FAMILY.load(published)):
        trace(graph, graph.path(version))
        if graph.role == "decoder":
            write_reorder(graph.inputs, version / "reorder.onnx")


def repository_with(checkpoint: Path, folder: Path, parameters: Mapping[str, str] | None = None) -> Path:
    """Make `folder` a model repository with version 1 of stt_whisper; `parameters` replace those of its config."""
    source, model = CHECKOUT / "model_repository" / ENGINE, folder / ENGINE
    shutil.copytree(source, model, ignore=shutil.ignore_patterns("[0-9]*"))
    config = model / "config.pbtxt"
    text = config.read_text("utf-8")
    for key, value in (parameters or {}).items():
        text, found = re.subn(rf'(key: "{key}" value: {{ string_value: )"[^"]*"', rf'\g<1>"{value}"', text)
        assert found == 1, f"the config has no parameter {key}"
    config.write_text(text, "utf-8")
    write_version(checkpoint, model / "1")
    return folder


@contextmanager
def serve_whisper(
    checkpoint: Path, folder: Path, parameters: Mapping[str, str] | None = None
) -> Iterator[EmbeddedTriton]:
    """Serve the checkpoint as version 1 of stt_whisper; its repository is `folder`/models."""
    repository = repository_with(checkpoint, folder / "models", parameters)
    with serving([ENGINE], repository=repository, run_dir=folder / "run") as server:
        yield server
