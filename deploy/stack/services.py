"""Which services the stack has, and what each is started with."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.processes import Launch
from deploy.stack.children import Child
from deploy.triton.embedded import CHECKOUT
from orchestrator.settings import TelemetrySettings

RABBITMQ = "rabbitmq"
TRITON = "triton"
GATEWAY = "gateway"
WORKERS = {"worker-stt": "stt", "worker-mt": "mt", "worker-tts": "tts"}
OWNER = "owner"
COMMANDS: dict[str, tuple[str, ...]] = {name: ("worker", stage) for name, stage in WORKERS.items()} | {
    OWNER: ("owner",),
    GATEWAY: ("serve",),
}
"""What each of our own processes is called with: `polylip <command>`."""

_METRICS_PORT = "POLYLIP_TELEMETRY__METRICS_PORT"

SOURCES = {
    RABBITMQ: ("deploy/rabbitmq",),
    TRITON: ("deploy/triton", "model_repository"),
    "polylip": ("client", "orchestrator"),
}
"""Folders of the checkout whose change calls for a restart."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """What our own processes must know of the other two."""

    triton_grpc_url: str
    broker_url: str
    gateway_host: str
    gateway_port: int

    @property
    def gateway_url(self) -> str:
        """Base URL of the gateway, as it is reached from this machine."""
        host = "127.0.0.1" if self.gateway_host in ("0.0.0.0", "::", "localhost") else self.gateway_host  # noqa: S104
        return f"http://{host}:{self.gateway_port}"


def polylip_variables() -> dict[str, str]:
    """Return the settings of this process's environment."""
    return {name: value for name, value in os.environ.items() if name.startswith("POLYLIP_")}


def child_environment(
    run_dir: Path, addresses: Addresses, telemetry: TelemetrySettings | None = None
) -> dict[str, str]:
    """Return our own processes' environment: the stack's addresses, and its folders unless the user names others."""
    folders = {
        "POLYLIP_STORE__DATABASE_URL": f"sqlite:///{run_dir / 'polylip.db'}",
        "POLYLIP_STORE__MEDIA_URL": f"file://{run_dir / 'media'}",
        "POLYLIP_SESSION__WORK_DIR": str(run_dir / "work"),
    }
    return {
        **folders,
        **os.environ,
        "POLYLIP_TRITON__GRPC_URL": addresses.triton_grpc_url,
        "POLYLIP_BROKER__URL": addresses.broker_url,
        "POLYLIP_GATEWAY__PORT": str(addresses.gateway_port),
        **_telemetry_variables(telemetry or TelemetrySettings()),
        "PYTHONUNBUFFERED": "1",  # logs are read while the process runs
    }


def make_child(name: str, run_dir: Path, environment: Mapping[str, str], gateway_url: str) -> Child:
    """Describe one of our own processes."""
    command = [sys.executable, "-m", "orchestrator.cli.main", *COMMANDS[name]]
    environment = _with_metrics_port(name, environment)
    is_ready: Callable[[], bool]
    if name == GATEWAY:

        def is_ready() -> bool:
            return gateway_is_ready(gateway_url)

    else:
        ready_file = run_dir / "ready" / name
        ready_file.parent.mkdir(parents=True, exist_ok=True)
        ready_file.unlink(missing_ok=True)
        command += ["--ready-file", str(ready_file)]
        is_ready = ready_file.exists
    return Child(name, Launch(command, log_path(run_dir, name), environment, CHECKOUT), is_ready)


def _with_metrics_port(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Give each process a metrics port of its own, counting up from the stack's, if it has any."""
    base = int(environment[_METRICS_PORT])
    port = base + list(COMMANDS).index(name) if base else 0
    return {**environment, _METRICS_PORT: str(port)}


def _telemetry_variables(telemetry: TelemetrySettings) -> dict[str, str]:
    return {
        _METRICS_PORT: str(telemetry.metrics_port),
        "POLYLIP_TELEMETRY__TRACES": telemetry.traces,
        "POLYLIP_TELEMETRY__TRACE_DIR": str(telemetry.trace_dir.absolute()),
        "POLYLIP_TELEMETRY__TRACE_RATIO": str(telemetry.trace_ratio),
        "POLYLIP_TELEMETRY__OTLP_URL": telemetry.otlp_url,
    }


def log_path(run_dir: Path, name: str) -> Path:
    """Return where one of our own processes writes its log."""
    return run_dir / "logs" / f"{name}.log"


def gateway_is_ready(url: str) -> bool:
    """Tell whether the gateway says that everything is there."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310 - our own loopback URL
            return bool(answer.status == 200)
    except OSError:  # refused, or an error status while it waits for the others
        return False
