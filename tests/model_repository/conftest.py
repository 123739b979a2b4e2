"""Puts the engines' own files where their tests can import them, as Triton's stub does for each engine."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.connection import TritonConnection
from deploy.triton.embedded import EmbeddedTriton

REPOSITORY = Path(__file__).parents[2] / "model_repository"

sys.path.extend(str(version) for version in sorted(REPOSITORY.glob("*/1")))


@pytest.fixture(scope="session")
def connection(triton_server: EmbeddedTriton) -> Iterator[TritonConnection]:
    """To the embedded Triton with all embedded engines."""
    with TritonConnection(triton_server.grpc_url, control_timeout_s=30.0) as connection:
        yield connection
