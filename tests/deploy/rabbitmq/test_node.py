"""The project's own RabbitMQ node, beside whatever else is on the machine."""

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest

from deploy.errors import RabbitStartFailed
from deploy.processes import session_members
from deploy.rabbitmq.node import RabbitNode

WELL_KNOWN_PORTS = (5672, 4369, 25672)
"""AMQP, epmd, distribution: where the system's own broker listens."""


@pytest.fixture
def foreign_broker() -> Iterator[list[socket.socket]]:
    """Something listens on every port that a system's broker uses: ours, unless it does so already."""
    with contextlib.ExitStack() as stack:
        listeners = []
        for port in WELL_KNOWN_PORTS:
            with contextlib.suppress(OSError):  # taken already: just as good
                listeners.append(stack.enter_context(socket.create_server(("127.0.0.1", port))))
        yield listeners


def connections_seen(listener: socket.socket) -> int:
    listener.setblocking(False)
    seen = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            seen += 1
    return seen


def roundtrip(url: str, queue: str, body: bytes) -> None:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True)  # classic: 3.10's quorum queues lose their way when killed at birth
        persistent = pika.BasicProperties(delivery_mode=2)
        channel.basic_publish("", queue, body, properties=persistent, mandatory=True)


def fetch(url: str, queue: str) -> bytes | None:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        body: bytes | None = connection.channel().basic_get(queue, auto_ack=True)[2]
        return body


@pytest.mark.rabbitmq
def test_a_node_works_beside_a_foreign_broker_and_leaves_nothing_behind(
    tmp_path: Path, foreign_broker: list[socket.socket]
) -> None:
    folder = tmp_path / "node with a blank"
    node = RabbitNode(folder)
    with node:
        roundtrip(node.url, "kept", b"hello")
        sessions = [record.pid for record in node.records]
        assert all(stat.S_IMODE((folder / name).stat().st_mode) & 0o077 == 0 for name in ("node.json", "rabbitmq.conf"))
        assert listening_addresses(sessions) <= {"0100007F", "00000000000000000000000001000000"}  # loopback, v4 and v6
    assert not node.is_running()
    assert [pid for session in sessions for pid in session_members(session)] == []
    assert [connections_seen(listener) for listener in foreign_broker] == [0] * len(foreign_broker)


@pytest.mark.rabbitmq
def test_messages_and_address_survive_a_killed_node(tmp_path: Path) -> None:
    node = RabbitNode(tmp_path)
    with node:
        url = node.url
        roundtrip(url, "kept", b"hello")
        os.kill(node.pid, signal.SIGKILL)
        assert node.records[0].wait(timeout_s=10)
        assert not node.is_running()
        RabbitNode(tmp_path).start()  # another object, the same node
        assert node.is_running()
        assert node.url == url
        assert fetch(url, "kept") == b"hello"


@pytest.mark.rabbitmq
def test_a_node_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where its folder should be")
    node = RabbitNode(tmp_path)
    with pytest.raises(RabbitStartFailed, match=r"RabbitMQ ended(.|\n)*last lines of (.|\n)*BOOT FAILED"):
        node.start()
    assert not node.is_running()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RabbitStartFailed, match=f"port {port} is taken"):
            RabbitNode(tmp_path, port=port).start()


@pytest.mark.rabbitmq
def test_each_test_has_a_virtual_host_of_its_own(vhost_url: str, rabbitmq_url: str) -> None:
    roundtrip(vhost_url, "mine", b"hello")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker):
        fetch(rabbitmq_url, "mine")


def listening_addresses(sessions: list[int]) -> set[str]:
    """Addresses (hexadecimal, as /proc/net/tcp writes them) that processes of these sessions listen at."""
    inodes = set()
    for pid in (pid for session in sessions for pid in session_members(session)):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                inodes.add(str(descriptor.readlink()))
    lines = [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = [fields for fields in map(str.split, lines) if fields[3] == "0A"]
    return {fields[1].rpartition(":")[0] for fields in listening if f"socket:[{fields[9]}]" in inodes}
