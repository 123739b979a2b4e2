"""Brings the local stack up, down, and tells how it is."""

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import StackFailed
from deploy.processes import ProcessRecord, free_ports, port_is_free
from deploy.rabbitmq.node import RabbitNode
from deploy.stack import services
from deploy.stack.children import start_all
from deploy.stack.fingerprint import fingerprint
from deploy.stack.services import COMMANDS, GATEWAY, RABBITMQ, SOURCES, TRITON, Addresses
from deploy.stack.state import ServiceState, StackState
from deploy.triton import status as triton_status
from deploy.triton.embedded import CHECKOUT, EmbeddedTriton
from deploy.triton.profiles import profile_arguments
from deploy.triton.tracing import trace_arguments
from orchestrator.settings import Settings

_GRACE_S = 15.0  # a worker finishes the message in its hands
_TRITON_GRACE_S = 20.0
_READY_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class StackInfo:
    """Where the parts of a running stack are."""

    gateway_url: str
    triton_grpc_url: str
    triton_http_url: str
    triton_metrics_url: str
    broker_url: str
    """With credentials."""
    logs: Path


class Stack:
    """The stack of one run folder. Objects of the same folder speak of the same stack, also from other processes."""

    def __init__(self, run_dir: Path, settings: Settings | None = None) -> None:
        """Describe a stack; nothing is started. `settings`: by default those of the environment."""
        self._run_dir = run_dir.absolute()
        self._settings = settings

    def up(self) -> StackInfo:
        """Start what is not running, restart what changed, keep the rest; return when all are ready.

        Raises:
            SetupMissing: something is not installed.
            DeployError: a part did not start; what this call started is stopped again.
        """
        settings = self._settings or Settings()
        with self._locked() as state:
            before = {name: state.get(name) for name in state.names()}
            try:
                return self._up(state, settings)
            except BaseException:
                fresh = [name for name in state.names() if state.get(name) != before.get(name)]
                self._stop(state, fresh)
                raise

    def down(self) -> None:
        """Stop everything; harmless when nothing runs."""
        with self._locked() as state:
            self._stop(state, state.names())
            self._node.stop()  # also its port mapper, and a node that the state does not know of

    def status(self) -> dict[str, str]:
        """Return a line about each service, by name."""
        with self._locked() as state:
            return {name: _line(state.get(name)) for name in (RABBITMQ, TRITON, *COMMANDS)}

    def dead(self) -> list[str]:
        """Return the services that were started but do not run any more."""
        with self._locked() as state:
            known = {name: state.get(name) for name in state.names()}
        return [name for name, service in known.items() if service is not None and not service.record.is_running()]

    @property
    def logs(self) -> Path:
        """Folder of the logs of our own processes."""
        return self._run_dir / "logs"

    @property
    def _node(self) -> RabbitNode:
        return RabbitNode(self._run_dir / "rabbitmq", owned=False)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[StackState]:
        """Give the state to one caller at a time."""
        self._run_dir.mkdir(parents=True, exist_ok=True)
        with (self._run_dir / "stack.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield StackState(self._run_dir / "stack.json")

    def _up(self, state: StackState, settings: Settings) -> StackInfo:
        gateway_port = self._gateway_port(state, settings)  # first: if it is taken, nothing need be started
        with ThreadPoolExecutor(2) as pool:  # neither needs the other, and each takes seconds
            broker = pool.submit(self._up_rabbitmq, state)
            triton = pool.submit(self._up_triton, state, settings)
            broker_url, ports = broker.result(), triton.result()
        grpc_url = f"127.0.0.1:{ports['grpc']}"
        addresses = Addresses(grpc_url, broker_url, settings.gateway.host, gateway_port)
        self._up_children(state, settings, addresses)
        return StackInfo(
            gateway_url=addresses.gateway_url,
            triton_grpc_url=grpc_url,
            triton_http_url=f"http://127.0.0.1:{ports['http']}",
            triton_metrics_url=f"http://127.0.0.1:{ports['metrics']}/metrics",
            broker_url=broker_url,
            logs=self.logs,
        )

    def _up_rabbitmq(self, state: StackState) -> str:
        node = self._node
        inputs = _inputs(RABBITMQ, {})
        if not self._keep(state, RABBITMQ, inputs, lambda _: node.is_running()):
            node.start()
            state.put(RABBITMQ, ServiceState(node.records[0], inputs))
        return node.url

    def _up_triton(self, state: StackState, settings: Settings) -> dict[str, int]:
        models = settings.engines.names()
        profile = [*profile_arguments(settings.triton.profile), *trace_arguments(settings.telemetry)]
        inputs = _inputs(TRITON, {"models": models, "profile": profile})
        kept = self._keep(state, TRITON, inputs, lambda service: _triton_is_ready(service, models))
        if kept is not None:
            return kept.ports
        server = EmbeddedTriton(models, run_dir=self._run_dir / "triton", owned=False, extra_args=profile)
        ports = {"http": server.http_port, "grpc": server.grpc_port, "metrics": server.metrics_port}

        def remember(record: ProcessRecord) -> None:
            state.put(TRITON, ServiceState(record, inputs, ports))

        server.start(remember)
        return ports

    def _up_children(self, state: StackState, settings: Settings, addresses: Addresses) -> None:
        environment = services.child_environment(self._run_dir, addresses, settings.telemetry)
        variables = {name: value for name, value in environment.items() if name.startswith("POLYLIP_")}
        url = addresses.gateway_url
        ready = {GATEWAY: lambda _: services.gateway_is_ready(url)}
        missing = []
        for name in COMMANDS:
            inputs = _inputs("polylip", {"command": COMMANDS[name], "variables": variables})
            if self._keep(state, name, inputs, ready.get(name, lambda _: True)) is None:
                missing.append((services.make_child(name, self._run_dir, environment, url), inputs))
        by_name = dict((child.name, inputs) for child, inputs in missing)
        ports = {GATEWAY: {"http": addresses.gateway_port}}

        def remember(name: str, record: ProcessRecord) -> None:
            state.put(name, ServiceState(record, by_name[name], ports.get(name, {})))

        start_all([child for child, _ in missing], remember, _READY_TIMEOUT_S)

    def _keep(
        self, state: StackState, name: str, inputs: str, is_healthy: Callable[[ServiceState], bool]
    ) -> ServiceState | None:
        """Return the service if it can stay as it is; otherwise stop what is left of it."""
        service = state.get(name)
        if service is None:
            return None
        if service.record.is_running() and service.inputs == inputs and is_healthy(service):
            return service
        self._stop(state, [name])
        return None

    def _gateway_port(self, state: StackState, settings: Settings) -> int:
        known = state.get(GATEWAY)
        wanted = settings.gateway.port
        told = "POLYLIP_GATEWAY__PORT" in services.polylip_variables() and wanted
        if known is not None and told in (False, 0, known.ports["http"]):
            port = known.ports["http"]  # a gateway that died comes back where its clients look for it
            if known.record.is_running() or port_is_free(port):
                return port
        if wanted and port_is_free(wanted):
            return wanted
        if told:
            raise StackFailed(f"port {wanted} (POLYLIP_GATEWAY__PORT) is taken by another program")
        return free_ports(1)[0]

    def _stop(self, state: StackState, names: list[str]) -> None:
        """Stop the named services: our own all at once, and then what they used."""
        ours = [name for name in names if name in COMMANDS]
        with ThreadPoolExecutor(max(1, len(ours))) as pool:
            list(pool.map(lambda name: _stop_record(state, name, _GRACE_S), ours))
        with ThreadPoolExecutor(2) as pool:  # neither needs the other, and each takes seconds
            stopping = [pool.submit(_stop_record, state, TRITON, _TRITON_GRACE_S)] if TRITON in names else []
            stopping += [pool.submit(self._node.stop)] if RABBITMQ in names else []
        for each in stopping:
            each.result()
        for name in names:
            state.drop(name)


def _stop_record(state: StackState, name: str, grace_s: float) -> None:
    service = state.get(name)
    if service is not None:
        service.record.stop(grace_s)


def _inputs(source: str, settings: dict[str, object]) -> str:
    return fingerprint([CHECKOUT / folder for folder in SOURCES[source]], settings)


def _triton_is_ready(service: ServiceState, models: list[str]) -> bool:
    url = f"http://127.0.0.1:{service.ports['http']}"
    try:
        return not triton_status.failures(models, triton_status.repository_index(url))
    except OSError:
        return False


def _line(service: ServiceState | None) -> str:
    if service is None:
        return "not started"
    return f"running (pid {service.record.pid})" if service.record.is_running() else "ended by itself"


def watch(stack: Stack, interval_s: float = 1.0) -> list[str]:
    """Wait until a service has ended by itself; return the ended ones."""
    while not (dead := stack.dead()):
        time.sleep(interval_s)
    return dead
