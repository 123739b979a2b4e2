"""What both brokers' deliveries have in common: headers, the count of tries, settling exactly once."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping

import structlog

from orchestrator.clock import now_ms
from orchestrator.queues import topology
from orchestrator.queues.broker import (
    ATTEMPT_HEADER,
    PUBLISHED_AT_HEADER,
    REASON_HEADER,
    TRACEPARENT_HEADER,
    Handler,
    PoisonHandler,
    QueueSpec,
)
from orchestrator.telemetry.metrics import (
    PARKED,
    QUEUE_WAIT_SECONDS,
    REDELIVERED,
    RETRIED,
    queue_family,
    reason_label,
)
from orchestrator.telemetry.spans import Attributes, record_since
from orchestrator.tracing import trace_id_of

log = structlog.get_logger(__name__)

MAX_REASON_CHARACTERS = 2000
"""A reason travels in a header, and headers must fit one AMQP frame (128 kB by default)."""


def stamp(headers: Mapping[str, str], *, attempt: int = 1, delay_s: float = 0.0, reason: str = "") -> dict[str, str]:
    """Return `headers` with our own set for a message that reaches its queue `delay_s` from now."""
    stamped = {name: text for name, text in headers.items() if name != REASON_HEADER}
    stamped[ATTEMPT_HEADER] = str(attempt)
    stamped[PUBLISHED_AT_HEADER] = str(now_ms() + round(delay_s * 1000))
    if reason:
        stamped[REASON_HEADER] = reason[:MAX_REASON_CHARACTERS]
    return stamped


def whole_number(text: str | None, default: int) -> int:
    """Read a header that should be a number; a stranger's nonsense counts as absent."""
    return int(text) if text is not None and text.isdecimal() and text.isascii() else default


class BaseDelivery(ABC):
    """Fills `Delivery` but for what a broker does when the message is settled."""

    def __init__(
        self, spec: QueueSpec, body: bytes, headers: Mapping[str, str], attempt: int, max_attempts: int
    ) -> None:
        """`attempt` counts the tries whose consumers died, too."""
        self._spec = spec
        self._queue = spec.name
        self._body = body
        self._headers = dict(headers)
        self._attempt = attempt
        self._max_attempts = max_attempts
        self._published_at_ms = whole_number(headers.get(PUBLISHED_AT_HEADER), now_ms())
        self._settled = False
        self._lock = threading.Lock()

    @property
    def queue(self) -> str:
        """Queue it came from."""
        return self._queue

    @property
    def body(self) -> bytes:
        """As published."""
        return self._body

    @property
    def headers(self) -> Mapping[str, str]:
        """As published, plus our own."""
        return self._headers

    @property
    def attempt(self) -> int:
        """1 for the first try."""
        return self._attempt

    @property
    def published_at_ms(self) -> int:
        """Unix time at which it was put on this queue."""
        return self._published_at_ms

    @property
    def settled(self) -> bool:
        """One of the three settling calls was made."""
        return self._settled

    @property
    def exhausted(self) -> bool:
        """The consumers of all its tries died: it must not be tried again."""
        return self._spec.durable_work and self._attempt > self._max_attempts

    def ack(self) -> None:
        """The work is done and its result published."""
        self._settle()
        self._remove()

    def retry_later(self, reason: str) -> bool:
        """Give it back for another try after a delay; False when that was the last try and it was dead-lettered."""
        if self._attempt >= self._max_attempts:
            self.dead_letter(reason)
            return False
        self._settle()
        RETRIED.labels(queue_family(self._queue), reason_label(reason)).inc()
        log.warning("retry later", queue=self._queue, attempt=self._attempt, reason=reason, trace_id=self._trace_id)
        self._put_back()
        return True

    def dead_letter(self, reason: str) -> None:
        """Park it with the reason. On a dead-letter queue it stays: its consumer holds it until it closes."""
        self._settle()
        self._tell_of_parking(reason)
        if self._spec.durable_work:
            self._park(reason)
        elif not topology.is_dead(self._queue):
            self._remove()

    @property
    def _trace_id(self) -> str:
        return trace_id_of(self._headers.get(TRACEPARENT_HEADER, ""))

    def _tell_of_parking(self, reason: str) -> None:
        family, traceparent = queue_family(self._queue), self._headers.get(TRACEPARENT_HEADER, "")
        PARKED.labels(family, reason_label(reason)).inc()
        noted: Attributes = {"polylip.attempt": self._attempt, "polylip.reason": reason[:MAX_REASON_CHARACTERS]}
        if traceparent:
            record_since(f"dead letter {family}", traceparent, now_ms(), "producer", noted)
        log.error("dead letter", queue=self._queue, attempt=self._attempt, reason=reason, trace_id=self._trace_id)

    def _settle(self) -> None:
        with self._lock:
            if self._settled:
                raise RuntimeError(f"a message of {self._queue} was settled twice")
            self._settled = True

    @abstractmethod
    def _remove(self) -> None:
        """Take the message off the broker."""

    @abstractmethod
    def _put_back(self) -> None:
        """Have the broker deliver the message again after the delay of this attempt, as the next attempt."""

    @abstractmethod
    def _park(self, reason: str) -> None:
        """Move the message to the dead-letter queue."""


def run_handler(delivery: BaseDelivery, handler: Handler, on_poison: PoisonHandler | None) -> None:
    """Hand one delivery to its handler; park it when the handler raises, or when no try is left. Never raises."""
    family = queue_family(delivery.queue)
    QUEUE_WAIT_SECONDS.labels(family).observe(max(0, now_ms() - delivery.published_at_ms) / 1000)
    if delivery.attempt > 1:
        REDELIVERED.labels(family).inc()
    if delivery.exhausted:
        _park_poison(delivery, f"the consumers died at each of {delivery.attempt - 1} tries", on_poison)
        return
    try:
        handler(delivery)
    except Exception as error:
        log.exception("a handler raised", queue=delivery.queue, attempt=delivery.attempt)
        if not delivery.settled:
            _park_poison(delivery, f"{type(error).__name__}: {error}", on_poison)


def _park_poison(delivery: BaseDelivery, reason: str, on_poison: PoisonHandler | None) -> None:
    # Told before it is parked: when this process dies in between, it is told again, and never not at all.
    if on_poison is not None:
        try:
            on_poison(delivery, reason)
        except Exception:
            log.exception("the poison handler raised", queue=delivery.queue)
    delivery.dead_letter(reason)
