"""Servers and a voice for the whole test session. `make test` installs what they need."""

import base64
import contextlib
import os
import subprocess
import urllib.request
import uuid
import wave
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from deploy.errors import SetupMissing
from deploy.rabbitmq.node import RabbitNode
from deploy.triton.embedded import EmbeddedTriton
from orchestrator.settings import EngineSettings
from tests.killed_servers import running_node, serving

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.spreading import Spreading

# A time that an example may take would be a bar of the machine's: other programs use it too.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Several processes, each with PyTorch's thread for every core, would for the most part wait for each other."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Spreading":
    """Called only where tests are spread over several processes (`-n 2`)."""
    from tests.spreading import Spreading

    return Spreading(config, log)


@pytest.fixture(scope="session")
def triton_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """The embedded Triton with all embedded engines: `.grpc_url`, `.http_url`, `.models`."""
    with _set_up(), serving(EngineSettings().names(), run_dir=tmp_path_factory.mktemp("triton")) as server:
        yield server


@pytest.fixture(scope="session")
def rabbit_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A RabbitMQ node of the test session's own. Its management plugin makes the tests' virtual hosts."""
    node = RabbitNode(tmp_path_factory.mktemp("rabbitmq"), plugins=["rabbitmq_management", "rabbitmq_prometheus"])
    with _set_up(), running_node(node):
        yield node


@contextlib.contextmanager
def _set_up() -> Iterator[None]:
    try:
        yield
    except SetupMissing as error:
        pytest.fail(f"{error}, or `make test` for all of it")


@pytest.fixture(scope="session")
def rabbitmq_url(rabbit_node: RabbitNode) -> str:
    """AMQP URL of the session's node, default virtual host: use queue names of your own there."""
    return rabbit_node.url


@pytest.fixture
def vhost_url(rabbit_node: RabbitNode) -> Iterator[str]:
    """AMQP URL of a virtual host that only this test uses: no queue of another test is in it."""
    name = f"test-{uuid.uuid4().hex}"
    call_management(rabbit_node, "PUT", name)
    yield f"{rabbit_node.url.rpartition('/')[0]}/{name}"
    call_management(rabbit_node, "DELETE", name)


def call_management(node: RabbitNode, method: str, vhost: str) -> None:
    parts = urlsplit(node.management_url)
    url = f"http://{parts.hostname}:{parts.port}/api/vhosts/{vhost}"
    token = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    request = urllib.request.Request(url, method=method, headers={"Authorization": f"Basic {token}"})
    with urllib.request.urlopen(request, timeout=30):
        return


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
