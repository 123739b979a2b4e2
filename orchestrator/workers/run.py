"""Starts and stops stage workers."""

import threading
from collections.abc import Callable

import structlog
import tenacity

from client.contracts import Task
from orchestrator.errors import BrokerUnavailable
from orchestrator.queues import topology
from orchestrator.queues.broker import Broker, QueueSpec, Subscription
from orchestrator.settings import Settings, TimingSettings
from orchestrator.workers.base import Engines, StageWorker
from orchestrator.workers.mt import MtStage
from orchestrator.workers.stt import SttStage
from orchestrator.workers.tts import TtsStage

log = structlog.get_logger(__name__)

STAGES = (Task.STT.value, Task.MT.value, Task.TTS.value)
"""The stages that have workers, in the order of the flow."""


def start_worker(
    stage: str, broker: Broker, engines: Engines, *, concurrency: int = 1, timing: TimingSettings | None = None
) -> Subscription:
    """Declare the work queues and begin to consume the stage's.

    Raises:
        ValueError: no such stage.
        BrokerUnavailable: the broker is away.
        BrokerError: a queue exists, made under other settings.
    """
    for queue in topology.WORK_QUEUES:
        broker.declare(QueueSpec(queue))
    if stage == Task.STT:
        return StageWorker(SttStage(engines), broker).consume(concurrency)
    if stage == Task.MT:
        return StageWorker(MtStage(engines), broker).consume(concurrency)
    if stage == Task.TTS:
        return StageWorker(TtsStage(engines, timing), broker).consume(concurrency)
    raise ValueError(f"no stage {stage!r}; there are {', '.join(STAGES)}")


def run_worker(
    stage: str,
    broker: Broker,
    engines: Engines,
    settings: Settings,
    stop: threading.Event,
    ready: Callable[[], None] | None = None,
) -> None:
    """Run one stage's worker until `stop`; the caller closes the broker afterwards.

    Waits for a broker that is not there yet. `ready` is called once messages are taken. On `stop` the messages in
    work are finished (`settings.worker.stop_grace_s`), the others go back to the broker.

    Raises:
        ValueError: no such stage.
        BrokerError: a queue exists, made under other settings.
    """
    patient = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(BrokerUnavailable),
        wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=5.0, jitter=0.3),
        stop=tenacity.stop_when_event_set(stop),
        sleep=tenacity.sleep_using_event(stop),
        before_sleep=lambda state: log.warning(
            "waiting for the broker", reason=str(state.outcome and state.outcome.exception())
        ),
    )
    try:
        concurrency, timing = settings.worker.concurrency, settings.timing
        subscription = patient(start_worker, stage, broker, engines, concurrency=concurrency, timing=timing)
    except tenacity.RetryError:
        return  # stopped while waiting
    log.info("worker is ready", stage=stage)
    if ready is not None:
        ready()
    stop.wait()
    subscription.close(settings.worker.stop_grace_s)
    log.info("worker has stopped", stage=stage)
