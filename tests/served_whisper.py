"""Whisper in a private embedded Triton, from a checkpoint that was made up."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.triton.embedded import EmbeddedTriton
from export.whisper.family import FAMILY
from tests.engine_folder import engine_folder, write_version
from tests.killed_servers import serving

ENGINE = "stt_whisper"


def repository_with(checkpoint: Path, folder: Path, parameters: Mapping[str, str] | None = None) -> Path:
    """Make `folder` a model repository with version 1 of stt_whisper; `parameters` replace those of its config."""
    model = engine_folder(ENGINE, folder, parameters)
    write_version(FAMILY, checkpoint, model / "1")
    return folder


@contextmanager
def serve_whisper(
    checkpoint: Path, folder: Path, parameters: Mapping[str, str] | None = None
) -> Iterator[EmbeddedTriton]:
    """Serve the checkpoint as version 1 of stt_whisper; its repository is `folder`/models."""
    repository = repository_with(checkpoint, folder / "models", parameters)
    with serving([ENGINE], repository=repository, run_dir=folder / "run") as server:
        yield server
