"""XTTS-v2 in a private embedded Triton, from a checkpoint that was made up."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.triton.embedded import EmbeddedTriton
from export.xtts.family import FAMILY
from tests.engine_folder import engine_folder, write_version
from tests.killed_servers import serving

ENGINE = "tts_xtts"


@contextmanager
def serve_xtts(checkpoint: Path, folder: Path, parameters: Mapping[str, str] | None = None) -> Iterator[EmbeddedTriton]:
    """Serve the checkpoint as version 1 of tts_xtts; its repository is `folder`/models."""
    (folder / "models").mkdir()
    write_version(FAMILY, checkpoint, engine_folder(ENGINE, folder / "models", parameters) / "1")
    with serving([ENGINE], repository=folder / "models", run_dir=folder / "run") as server:
        yield server
