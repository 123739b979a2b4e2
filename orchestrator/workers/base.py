"""What all stage workers share: the one settle policy, decode -> work -> publish -> ack.

| what happens | what becomes of the message |
|---|---|
| all answers published | acked |
| the body is no record of this stage | dead letter; nobody can be told, for the sender is not known |
| a retryable error, or the broker refuses or is away | tried again later; after the last try as in the next line |
| an error that will come again, or a fault of ours | dead letter, and SegmentFailed to the session |
| the session's reply queue is gone | acked: nobody waits for the work any more |
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import structlog
import tenacity

from client.contracts import MtEngine, SttEngine, Task, TtsEngine
from client.errors import PolylipError
from orchestrator.errors import BrokerUnavailable, MalformedMessage, QueueFull, Unroutable
from orchestrator.messages import (
    AnyRecord,
    Record,
    SegmentFailed,
    Sentence,
    SpeechChunk,
    StageTiming,
    Translation,
    decode_as,
    encode,
)
from orchestrator.queues import topology
from orchestrator.queues.broker import TRACEPARENT_HEADER, Broker, Delivery, QueueSpec, Subscription
from orchestrator.telemetry.deliveries import working_on
from orchestrator.telemetry.metrics import (
    STAGE_IN_PROGRESS,
    STAGE_ITEMS,
    STAGE_LAST_SUCCESS,
    STAGE_SECONDS,
    prime_stage,
)
from orchestrator.telemetry.spans import Attributes
from orchestrator.tracing import child_traceparent
from orchestrator.workers.clock import StageClock

log = structlog.get_logger(__name__)

Work = TypeVar("Work", SpeechChunk, Sentence, Translation)

FAILURE_PATIENCE_S = 30.0
"""How long a failure is offered to a full or absent broker; after that only the session's own deadline tells it."""


class Engines(Protocol):
    """Where the stages get their engines; "" means the model that the settings name. Asked for each message."""

    def stt(self, model: str = "") -> SttEngine:
        """Speech to text."""
        ...

    def mt(self, model: str = "") -> MtEngine:
        """Machine translation."""
        ...

    def tts(self, model: str = "") -> TtsEngine:
        """Text to speech."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One record for one queue."""

    queue: str
    record: AnyRecord


class Stage(Protocol[Work]):
    """One step of the audio branch: what it reads, and what it makes of it. Stateless."""

    task: Task
    queue: str
    kind: type[Work]

    def answers(self, work: Work, clock: StageClock, traceparent: str) -> Iterator[Answer]:
        """Do the work, yielding answers as they are ready. Closing the iterator cancels it.

        Raises:
            PolylipError: the work could not be done; its `retryable` decides what follows.
        """
        ...


def inherit(work: Record, *passed: StageTiming) -> dict[str, Any]:
    """Return the fields that an answer takes over from the record it answers, with the stages `passed` since."""
    return {
        "session_id": work.session_id,
        "segment_id": work.segment_id,
        "sequence": work.sequence,
        "start_ms": work.start_ms,
        "end_ms": work.end_ms,
        "timings": (*work.timings, *passed),
        "engines": work.engines,
    }


class StageWorker(Generic[Work]):
    """Runs one stage on deliveries; every delivery is settled, and every session hears of its segment."""

    def __init__(self, stage: Stage[Work], broker: Broker) -> None:
        """`broker` takes the answers."""
        self._stage: Stage[Work] = stage
        self._broker = broker
        prime_stage(stage.task.value, stage.queue)

    def consume(self, concurrency: int) -> Subscription:
        """Take the stage's messages from now on; raises as `Broker.consume`."""
        return self._broker.consume(self._stage.queue, self.handle, concurrency=concurrency, on_poison=self.give_up)

    def handle(self, delivery: Delivery) -> None:
        """Work on one delivery and settle it."""
        try:
            work = decode_as(self._stage.kind, delivery.body)
        except MalformedMessage as error:
            delivery.dead_letter(f"{error.code}: {error}")
            self._count("malformed")
            return
        name = self._stage.task.value
        ids: Attributes = {
            "polylip.session": str(work.session_id),
            "polylip.segment": work.sequence,
            "polylip.stage": name,
        }
        with (
            self._log_context(work),
            working_on(delivery, f"stage {name}", ids) as span,
            STAGE_IN_PROGRESS.labels(name).track_inprogress(),
        ):
            outcome = self._work(delivery, work, span.traceparent)
            span.note(**{"polylip.outcome": outcome})
            if outcome in ("retried", "failed"):
                span.fail(outcome)
        self._count(outcome)

    def give_up(self, delivery: Delivery, reason: str) -> None:
        """Tell the session of a message that the broker parks: a fault of ours, or it killed its workers."""
        self._count("failed")
        try:
            work = decode_as(self._stage.kind, delivery.body)
        except MalformedMessage:
            return
        with self._log_context(work):
            traceparent = child_traceparent(delivery.headers.get(TRACEPARENT_HEADER, ""))
            self._report(work, PolylipError.code, reason, traceparent)

    def _count(self, outcome: str) -> None:
        STAGE_ITEMS.labels(self._stage.task.value, outcome).inc()

    def _work(self, delivery: Delivery, work: Work, traceparent: str) -> str:
        """Do the work and settle the message; return what became of it, as the metrics name it."""
        try:
            clock = self._publish_answers(delivery, work, traceparent)
        except Unroutable as error:
            log.info("nobody waits for the answer any more", reason=str(error))
            delivery.ack()
            return "unwanted"
        except PolylipError as error:
            if error.retryable and delivery.retry_later(f"{error.code}: {error}"):
                return "retried"
            self._report(work, error.code, str(error), traceparent)
            if not error.retryable:
                delivery.dead_letter(f"{error.code}: {error}")
            return "failed"
        delivery.ack()
        compute_ms = clock.timing().compute_ms
        STAGE_SECONDS.labels(self._stage.task.value).observe(compute_ms / 1000)
        STAGE_LAST_SUCCESS.labels(self._stage.task.value).set_to_current_time()
        log.info("done", attempt=delivery.attempt, compute_ms=compute_ms)
        return "done"

    def _publish_answers(self, delivery: Delivery, work: Work, traceparent: str) -> StageClock:
        clock = StageClock(self._stage.task, delivery.published_at_ms, delivery.attempt)
        with closing_iterator(self._stage.answers(work, clock, traceparent)) as answers:
            for answer in answers:
                with clock.paused():
                    self._publish(answer, traceparent)
        return clock

    def _publish(self, answer: Answer, traceparent: str) -> None:
        try:
            self._broker.publish(answer.queue, encode(answer.record), {TRACEPARENT_HEADER: traceparent})
        except Unroutable as error:
            if answer.queue not in topology.WORK_QUEUES:
                raise
            self._broker.declare(QueueSpec(answer.queue))  # deleted under us; a shared queue has no owner to be gone
            raise BrokerUnavailable(f"{answer.queue} had to be made again") from error

    def _report(self, work: Work, code: str, reason: str, traceparent: str) -> None:
        failure = SegmentFailed(**inherit(work), stage=self._stage.task.value, code=code, reason=reason)
        patient = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((QueueFull, BrokerUnavailable)),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=5.0, jitter=0.3),
            stop=tenacity.stop_after_delay(FAILURE_PATIENCE_S),
            reraise=True,
        )
        try:
            patient(self._publish, Answer(work.reply_to, failure), traceparent)
        except Unroutable:
            log.info("nobody waits for the failure any more")
        except (QueueFull, BrokerUnavailable) as error:
            log.error("the session could not be told of a failure", code=code, reason=reason, broker=str(error))

    def _log_context(self, work: Work) -> contextlib.AbstractContextManager[None]:
        return structlog.contextvars.bound_contextvars(
            stage=self._stage.task.value, session=str(work.session_id), segment=work.sequence
        )


T = TypeVar("T")


@contextlib.contextmanager
def closing_iterator(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """Close a generator on leaving, also when it was not read to its end: that is what cancels a stream."""
    try:
        yield items
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()
