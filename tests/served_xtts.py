"""XTTS-v2 in a private embedded Triton, from a checkpoint that was made up."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.triton.embedded import EmbeddedTriton
from export.bundle.onnx_files import write
from export.xtts.family import FAMILY
from tests.engine_folder import engine_folder
from tests.killed_servers import serving

ENGINE = "tts_xtts"


def write_version(checkpoint: Path, version: Path) -> None:
    """Write what the exporter would install, without its gate, which has tests of its own and takes a minute."""
    version.mkdir(parents=True)
    published = FAMILY.read(checkpoint)
    FAMILY.write_files(published, version)
    for graph in FAMILY.graphs(FAMILY.load(published)):
        write(graph, graph.path(version))


@contextmanager
def serve_xtts(checkpoint: Path, folder: Path, parameters: Mapping[str, str] | None = None) -> Iterator[EmbeddedTriton]:
    """Serve the checkpoint as version 1 of tts_xtts; its repository is `folder`/models."""
    (folder / "models").mkdir()
    write_version(checkpoint, engine_folder(ENGINE, folder / "models", parameters) / "1")
    with serving([ENGINE], repository=folder / "models", run_dir=folder / "run") as server:
        yield server
