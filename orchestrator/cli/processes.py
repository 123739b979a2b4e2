"""The long-running processes of the stack: `polylip serve`, `polylip worker <stage>`, `polylip owner`."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import structlog
import typer
import uvicorn

from client.aio import AsyncTriton
from client.contracts import STT_SAMPLE_RATE_HZ, MelSpec
from client.mel import mel_spectrogram
from orchestrator.cli.output import plain_errors
from orchestrator.engines import Engines
from orchestrator.logs import configure_logging
from orchestrator.models.admin import ModelAdmin
from orchestrator.queues.rabbitmq import RabbitBroker
from orchestrator.rest.app import create_app
from orchestrator.session.owner import Owner
from orchestrator.settings import Settings
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore
from orchestrator.telemetry.endpoint import metrics_endpoint
from orchestrator.telemetry.spans import tracing
from orchestrator.workers.run import STAGES, run_worker

log = structlog.get_logger()

ReadyFile = Annotated[Path | None, typer.Option(help="There while the process takes messages.")]


def serve() -> None:
    """Run the REST gateway and its page."""
    with plain_errors():
        settings = _settings()
        broker = RabbitBroker(settings.broker)
        triton = AsyncTriton(settings.triton.grpc_url, control_timeout_s=settings.triton.control_timeout_s)
        dubs, media = DubStore(settings.store.database_url), MediaStore(settings.store.media_url)
        with ExitStack() as stack:
            stack.enter_context(tracing(settings.telemetry, "gateway"))
            models = None
            if settings.models.repository.is_dir():  # elsewhere a gateway only tells what is served
                models = stack.enter_context(ModelAdmin.connected(settings, dubs.pins))
            app = create_app(settings, broker=broker, dubs=dubs, media=media, triton=triton, models=models)
            uvicorn.run(
                app,
                host=settings.gateway.host,
                port=settings.gateway.port,
                log_config=None,
                timeout_graceful_shutdown=5,
            )
        broker.close()


def worker(
    stage: Annotated[str, typer.Argument(help=f"One of {', '.join(STAGES)}.")], ready_file: ReadyFile = None
) -> None:
    """Run one stage's worker; start more of them to scale the stage."""
    if stage not in STAGES:
        raise typer.BadParameter(f"no stage {stage!r}; there are {', '.join(STAGES)}")
    with plain_errors(), readiness(ready_file) as ready:
        settings = _settings()
        structlog.contextvars.bind_contextvars(stage=stage)
        engines, broker = Engines(settings), RabbitBroker(settings.broker)
        with tracing(settings.telemetry, f"worker-{stage}"), metrics_endpoint(settings.telemetry):
            run_worker(stage, broker, engines, settings, _stop_on_signals(), ready)
            broker.close()
            engines.close()


def owner(ready_file: ReadyFile = None) -> None:
    """Run a session owner: dubs the clips that the gateway accepts."""
    with plain_errors(), readiness(ready_file) as ready:
        settings = _settings()
        structlog.contextvars.bind_contextvars(stage="owner")
        stop = _stop_on_signals()
        engines, broker = Engines(settings), RabbitBroker(settings.broker)
        dubs, media = DubStore(settings.store.database_url), MediaStore(settings.store.media_url)
        running = Owner(settings, broker, engines, dubs, media)
        mel_spectrogram(np.zeros(STT_SAMPLE_RATE_HZ, np.float32), MelSpec())  # its library loads now, not in a dub
        with tracing(settings.telemetry, "owner"), metrics_endpoint(settings.telemetry):
            running.start()
            ready()
            stop.wait()
            running.stop()
            broker.close()
            engines.close()
            dubs.close()


def _settings() -> Settings:
    settings = Settings()
    configure_logging(settings.log_level, settings.log_format)
    return settings


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def readiness(path: Path | None) -> Iterator[Callable[[], None]]:
    """Give the call that says "ready": the file is there from then until the process ends.

    One that a process left behind when it was killed goes first: a container that starts again in the same place would
    be taken for ready at once.
    """
    if path is not None:
        path.unlink(missing_ok=True)

    def ready() -> None:
        log.info("ready")
        if path is not None:
            path.touch()

    try:
        yield ready
    finally:
        if path is not None:
            path.unlink(missing_ok=True)
