"""Servers for the whole test session. `make test` installs what they need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.errors import SetupMissing
from deploy.triton.embedded import CHECKOUT, EmbeddedTriton

EMBEDDED_ENGINES = ("stt_pocketsphinx", "mt_apertium", "tts_espeak", "faces_haar", "lips_warp")


@pytest.fixture(scope="session")
def triton_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """The embedded Triton with the five embedded engines: `.grpc_url`, `.http_url`, `.models`."""
    present = [name for name in EMBEDDED_ENGINES if (CHECKOUT / "model_repository" / name / "config.pbtxt").is_file()]
    server = EmbeddedTriton(present, run_dir=tmp_path_factory.mktemp("triton"))
    try:
        server.start()
    except SetupMissing as error:
        pytest.fail(f"{error} (or run `make test`)")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def server_venv() -> Path:
    """The virtual environment of the embedded Triton."""
    return CHECKOUT / ".venv-triton"
