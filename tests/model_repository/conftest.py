"""Puts the engines' own files where their tests can import them, as Triton's stub does for each engine."""

import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from client.connection import TritonConnection
from deploy.triton.embedded import EmbeddedTriton

REPOSITORY = Path(__file__).parents[2] / "model_repository"

sys.path.extend(str(version) for version in sorted(REPOSITORY.glob("*/1")))


@pytest.fixture(scope="session")
def connection(triton_server: EmbeddedTriton) -> Iterator[TritonConnection]:
    """To the embedded Triton with the five embedded engines."""
    connection = TritonConnection(triton_server.grpc_url, control_timeout_s=30.0)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def say(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], NDArray[np.float32]]:
    """Speak English with flite's voice `rms`: mono 16 kHz, -1..1."""
    path = tmp_path_factory.mktemp("flite") / "said.wav"

    def speak(text: str) -> NDArray[np.float32]:
        subprocess.run(["flite", "-voice", "rms", "-t", text, str(path)], check=True)
        with wave.open(str(path)) as recording:
            assert (recording.getframerate(), recording.getnchannels()) == (16_000, 1)
            pcm = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
        return (pcm / 32768).astype(np.float32)

    return speak
