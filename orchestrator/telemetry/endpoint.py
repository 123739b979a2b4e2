"""The metrics endpoint of a process that has no HTTP server of its own: workers and owners."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from orchestrator.errors import MetricsPortTaken
from orchestrator.settings import TelemetrySettings
from orchestrator.telemetry.metrics import REGISTRY


@contextmanager
def metrics_endpoint(settings: TelemetrySettings) -> Iterator[None]:
    """Answer /metrics while the block runs, unless the settings switch it off; raises MetricsPortTaken."""
    if settings.metrics_port == 0:
        yield
        return
    address = f"{settings.metrics_host}:{settings.metrics_port}"
    try:
        server, thread = start_http_server(settings.metrics_port, settings.metrics_host, REGISTRY)
    except OSError as error:
        raise MetricsPortTaken(f"{address}: {error.strerror or error}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
