"""Deliveries without a broker, timers without time, and a handler that keeps what it gets."""

import threading
from collections.abc import Callable, Mapping
from typing import Literal

from orchestrator.clock import now_ms
from orchestrator.messages import AnyRecord, decode, encode
from orchestrator.queues.broker import Broker, Delivery, QueueSpec, Subscription
from tests.waiting import eventually

Outcome = Literal["acked", "retried", "dead"]


class FakeDelivery:
    """Remembers how it was settled: `outcome`, `reason`. It fails a test that settles it twice."""

    def __init__(
        self,
        body: bytes | AnyRecord,
        *,
        queue: str = "queue",
        headers: Mapping[str, str] | None = None,
        attempt: int = 1,
        max_attempts: int = 3,
        published_at_ms: int | None = None,
    ) -> None:
        self.queue = queue
        self.body = body if isinstance(body, bytes) else encode(body)
        self.headers = dict(headers or {})
        self.attempt = attempt
        self.published_at_ms = now_ms() if published_at_ms is None else published_at_ms
        self.outcome: Outcome | None = None
        self.reason = ""
        self._max_attempts = max_attempts

    def ack(self) -> None:
        self._settle("acked")

    def retry_later(self, reason: str) -> bool:
        last = self.attempt >= self._max_attempts
        self._settle("dead" if last else "retried", reason)
        return not last

    def dead_letter(self, reason: str) -> None:
        self._settle("dead", reason)

    def _settle(self, outcome: Outcome, reason: str = "") -> None:
        assert self.outcome is None, f"settled twice: {self.outcome}, then {outcome}"
        self.outcome, self.reason = outcome, reason


class ManualTimers:
    """Timers of a clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._calls: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        self._calls.append((self.now_s + delay_s, callback))

    def close(self) -> None:
        self._calls.clear()

    @property
    def pending(self) -> int:
        return len(self._calls)

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        due = [call for call in self._calls if call[0] <= self.now_s]
        self._calls = [call for call in self._calls if call[0] > self.now_s]
        for _, callback in sorted(due, key=lambda call: call[0]):
            callback()


class Collector:
    """A handler that keeps its deliveries in `deliveries`, and settles each with `settle` unless that is None."""

    def __init__(self, settle: Callable[[Delivery], object] | None = lambda delivery: delivery.ack()) -> None:
        self.deliveries: list[Delivery] = []
        self._settle = settle
        self._lock = threading.Lock()

    def __call__(self, delivery: Delivery) -> None:
        with self._lock:
            self.deliveries.append(delivery)
        if self._settle is not None:
            self._settle(delivery)

    @property
    def bodies(self) -> list[bytes]:
        with self._lock:
            return [delivery.body for delivery in self.deliveries]

    def wait_for(self, count: int) -> list[Delivery]:
        """Return the deliveries once there are `count`."""
        eventually(lambda: len(self.deliveries) >= count, what=f"{count} deliveries (got {len(self.deliveries)})")
        return list(self.deliveries)


class FakeOutbox:
    """A broker that only takes messages: `published` lists (queue, record, headers); `refusals` are raised first."""

    def __init__(self, refusals: Mapping[str, list[Exception]] | None = None) -> None:
        self.published: list[tuple[str, AnyRecord, dict[str, str]]] = []
        self.declared: list[str] = []
        self._refusals = {queue: list(errors) for queue, errors in (refusals or {}).items()}

    def records(self, queue: str) -> list[AnyRecord]:
        return [record for name, record, _ in self.published if name == queue]

    def publish(self, queue: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        if self._refusals.get(queue):
            raise self._refusals[queue].pop(0)
        self.published.append((queue, decode(body), dict(headers or {})))

    def declare(self, queue: QueueSpec) -> None:
        self.declared.append(queue.name)

    def consume(self, *_args: object, **_keywords: object) -> Subscription:
        raise NotImplementedError("takes messages only")

    def depth(self, queue: str) -> int:
        return len(self.records(queue))

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass


_DELIVERY: Delivery = FakeDelivery(b"")
_BROKER: Broker = FakeOutbox()
