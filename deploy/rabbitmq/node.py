"""The project's own RabbitMQ node: own ports, data, cookie and port mapper, all at 127.0.0.1 and under one folder.

A broker that is already on the machine is neither needed nor disturbed. Debian's package brings the programs; its
wrapper on PATH would change to the system's user, so the script beneath it is called.
"""

import json
import secrets
import shutil
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from deploy.errors import RabbitStartFailed, SetupMissing
from deploy.files import write_private
from deploy.processes import GuardedProcess, Launch, ProcessRecord, free_ports, port_is_free, tail
from deploy.rabbitmq.config import NodePorts, node_environment, render_config

_SCRIPTS = "rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"
_LIBRARY_FOLDERS = (Path("/usr/lib"), Path("/usr/local/lib"), Path("/opt"))
_AMQP_HEADER = b"AMQP\x00\x00\x09\x01"
"""Protocol header of AMQP 0-9-1; a broker that takes connections answers with a method frame (first byte 1)."""
_GRACE_S = 30.0  # an orderly stop closes the message stores
_POLL_S = 0.1
_USER = "polylip"


@dataclass(slots=True)
class _State:
    """What another RabbitNode of the same folder must know; kept in node.json, readable by the owner only."""

    ports: NodePorts
    password: str
    node: ProcessRecord | None = None
    epmd: ProcessRecord | None = None


class RabbitNode:
    """One node. Objects of the same `run_dir` speak of the same node, also from other processes."""

    def __init__(
        self,
        run_dir: Path,
        port: int | None = None,
        *,
        plugins: Sequence[str] = (),
        owned: bool = True,
        start_timeout_s: float = 90.0,
    ) -> None:
        """Describe a node; nothing is started.

        Args:
            run_dir: holds everything the node writes; messages survive a restart of the node.
            port: of AMQP; a free one by default, kept from one start to the next while nobody else takes it.
            plugins: names of RabbitMQ plugins to switch on.
            owned: end the node when this process ends, however. False: it stays until `stop`.
            start_timeout_s: how long the node may take until it accepts connections.
        """
        self._run_dir = run_dir.absolute()
        self._port = port
        self._plugins = tuple(plugins)
        self._owned = owned
        self._start_timeout_s = start_timeout_s
        self.log_path = self._run_dir / "node.log"

    @property
    def url(self) -> str:
        """AMQP URL of the default virtual host, credentials included."""
        state = self._known()
        return f"amqp://{_USER}:{state.password}@127.0.0.1:{state.ports.amqp}/%2F"

    @property
    def management_url(self) -> str:
        """Base URL of the HTTP API, credentials included; answers only with the plugin `rabbitmq_management`."""
        state = self._known()
        return f"http://{_USER}:{state.password}@127.0.0.1:{state.ports.management}"

    @property
    def prometheus_url(self) -> str:
        """Base URL of the metrics; answers only with the plugin `rabbitmq_prometheus`."""
        return f"http://127.0.0.1:{self._known().ports.prometheus}"

    @property
    def pid(self) -> int:
        """Process id of the Erlang machine itself."""
        return int((self._run_dir / "node.pid").read_text(encoding="ascii"))

    @property
    def records(self) -> list[ProcessRecord]:
        """The processes to stop, for a list of all that run."""
        state = self._known()
        return [record for record in (state.node, state.epmd) if record is not None]

    def is_running(self) -> bool:
        """Tell whether the node accepts AMQP connections now."""
        state = self._load()
        return state is not None and state.node is not None and state.node.is_running() and _answers(state.ports.amqp)

    def start(self) -> Self:
        """Start the node and wait until it accepts connections; nothing to do when it already does.

        Raises:
            SetupMissing: RabbitMQ is not installed.
            RabbitStartFailed: the port is taken, or the node ended or was not ready in time (with the end of its log).
        """
        if self.is_running():
            return self
        script, epmd = find_programs()
        self.stop()  # what a killed node may have left
        state = self._prepare()
        environment = node_environment(self._run_dir, state.ports)
        try:
            # Not left to the node, which would start a daemon that nobody can tell from other nodes' mappers.
            mapper = [epmd, "-port", str(state.ports.epmd), "-address", "127.0.0.1"]
            self._launch(state, "epmd", mapper, environment)
            node = self._launch(state, "node", [str(script)], environment)
            self._wait_until_ready(state.ports.amqp, node)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the node in order, then its port mapper; harmless when nothing runs."""
        state = self._load()
        if state is None:
            return
        for record, grace_s in ((state.node, _GRACE_S + 10), (state.epmd, _GRACE_S)):
            if record is not None:
                record.stop(grace_s)
        self._save(_State(state.ports, state.password))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(
        self, state: _State, name: Literal["node", "epmd"], command: list[str], environment: dict[str, str]
    ) -> ProcessRecord:
        def remember(record: ProcessRecord) -> None:
            setattr(state, name, record)
            self._save(state)

        launch = Launch(command, self.log_path, environment, self._run_dir, owned=self._owned, grace_s=_GRACE_S)
        return GuardedProcess(launch, remember).record

    def _prepare(self) -> _State:
        """Choose ports and write the node's files."""
        self._run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        known = self._load()
        state = _State(self._choose_ports(known), known.password if known else secrets.token_urlsafe(24))
        write_private(self._run_dir / "rabbitmq.conf", render_config(state.ports, _USER, state.password))
        write_private(self._run_dir / "enabled_plugins", f"[{','.join(self._plugins)}].\n")
        cookie = self._run_dir / ".erlang.cookie"
        if not cookie.exists():
            write_private(cookie, secrets.token_hex(32))
            cookie.chmod(0o400)  # Erlang refuses one that others can read
        self.log_path.unlink(missing_ok=True)
        self._save(state)
        return state

    def _choose_ports(self, known: _State | None) -> NodePorts:
        if known is not None and self._port in (None, known.ports.amqp):
            # clients that lost the node reconnect to where it was
            kept = replace(known.ports, prometheus=known.ports.prometheus or free_ports(1)[0])
            if all(port_is_free(port) for port in asdict(kept).values()):
                return kept
        if self._port is not None and not port_is_free(self._port):
            raise RabbitStartFailed(f"port {self._port} is taken by another program")
        amqp, epmd, distribution, management, prometheus = free_ports(5)
        return NodePorts(self._port or amqp, epmd, distribution, management, prometheus)

    def _wait_until_ready(self, port: int, node: ProcessRecord) -> None:
        deadline = time.monotonic() + self._start_timeout_s
        while not _answers(port):
            if not node.is_running():
                raise RabbitStartFailed(f"RabbitMQ ended while it started\n{self._log_tail()}")
            if time.monotonic() >= deadline:
                raise RabbitStartFailed(
                    f"RabbitMQ was not ready within {self._start_timeout_s:g} s\n{self._log_tail()}"
                )
            time.sleep(_POLL_S)
        if not node.is_running():  # the answer was somebody else's, who took the port just before
            raise RabbitStartFailed(f"port {port} was taken by another program\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return f"last lines of {self.log_path}:\n{tail(self.log_path)}"

    def _known(self) -> _State:
        state = self._load()
        if state is None:
            raise RabbitStartFailed(f"no node was ever started in {self._run_dir}")
        return state

    def _load(self) -> _State | None:
        path = self._run_dir / "node.json"
        if not path.is_file():
            return None
        raw = json.loads(path.read_text(encoding="utf-8"))
        records = {name: ProcessRecord(**raw[name]) if raw[name] else None for name in ("node", "epmd")}
        return _State(NodePorts(**raw["ports"]), raw["password"], **records)

    def _save(self, state: _State) -> None:
        write_private(self._run_dir / "node.json", json.dumps(asdict(state), indent=1))


def find_programs() -> tuple[Path, str]:
    """Return the server's own start script and epmd; SetupMissing when they are not installed."""
    scripts = [script for folder in _LIBRARY_FOLDERS for script in sorted(folder.glob(_SCRIPTS))]
    epmd = shutil.which("epmd")
    if not scripts or epmd is None:
        raise SetupMissing("RabbitMQ (Debian's package rabbitmq-server)")
    return scripts[-1], epmd


def _answers(port: int) -> bool:
    """Tell whether an AMQP 0-9-1 broker takes connections at 127.0.0.1:`port`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
            connection.sendall(_AMQP_HEADER)
            return connection.recv(1) == b"\x01"
    except OSError:
        return False
