"""A real Triton whose tiny models misbehave on request (tests/testdata/model_repository)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from client.triton import TritonConnection
from deploy.triton.embedded import EmbeddedTriton
from tests.killed_servers import serving

REPOSITORY = Path(__file__).parents[1] / "testdata" / "model_repository"
MODELS = (
    "stt_moods",
    "stt_busy",
    "stt_asked",
    "mt_batched",
    "tts_moods",
    "faces_plain",
    "lips_plain",
    "boundary_plain",
)


@pytest.fixture(scope="session")
def moody_triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    with serving(MODELS, repository=REPOSITORY, run_dir=tmp_path_factory.mktemp("moody")) as server:
        yield server


@pytest.fixture
def connection(moody_triton: EmbeddedTriton) -> Iterator[TritonConnection]:
    with TritonConnection(moody_triton.grpc_url, control_timeout_s=10) as connection:
        yield connection
