"""The in-process broker, for `polylip dub` on one machine: the promises of broker.py but for surviving the process."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.errors import BrokerUnavailable, QueueFull, Unroutable
from orchestrator.queues import topology
from orchestrator.queues.broker import ATTEMPT_HEADER, Handler, PoisonHandler, QueueSpec
from orchestrator.queues.delivery import BaseDelivery, run_handler, stamp, whole_number
from orchestrator.queues.timers import ThreadTimers, Timers
from orchestrator.settings import BrokerSettings
from orchestrator.telemetry.metrics import counted_publish


@dataclass(frozen=True, slots=True)
class _Message:
    body: bytes
    headers: dict[str, str]

    @property
    def attempt(self) -> int:
        return whole_number(self.headers.get(ATTEMPT_HEADER), 1)


@dataclass(slots=True)
class _Queue:
    """Only ready messages are counted, as RabbitMQ does."""

    spec: QueueSpec
    max_bytes: int | None
    ready: deque[_Message] = field(default_factory=deque)
    ready_bytes: int = 0

    def push(self, message: _Message, *, front: bool = False) -> None:
        self.ready_bytes += len(message.body)
        if front:
            self.ready.appendleft(message)
        else:
            self.ready.append(message)

    def pop(self) -> _Message:
        message = self.ready.popleft()
        self.ready_bytes -= len(message.body)
        return message


class MemoryBroker:
    """Queues in this process's memory. Bodies are stored encoded, so records are tested as on the wire."""

    def __init__(self, settings: BrokerSettings, timers: Timers | None = None) -> None:
        """`timers` space the retries (default: real time)."""
        self.settings = settings
        self.timers = timers or ThreadTimers()
        self.changed = threading.Condition()
        self._queues: dict[str, _Queue] = {}
        self._subscriptions: list[MemorySubscription] = []
        self._closed = False

    def declare(self, queue: QueueSpec) -> None:
        """Make the queue exist, and its dead-letter queue."""
        with self.changed:
            self._queues.setdefault(queue.name, _Queue(queue, self.settings.queue_max_bytes))
            if queue.durable_work:
                dead = topology.dead(queue.name)
                self._queues.setdefault(dead, _Queue(QueueSpec(dead, durable_work=False), None))

    def publish(self, queue: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Put a message on `queue`; raises QueueFull, Unroutable, or BrokerUnavailable once closed."""
        with counted_publish(queue), self.changed:
            target = self.queue(queue)
            if target.max_bytes is not None and target.ready_bytes + len(body) > target.max_bytes:
                raise QueueFull(f"{queue} holds {target.ready_bytes} of {target.max_bytes} bytes")
            self.put(queue, _Message(bytes(body), stamp(headers or {})))

    def consume(
        self,
        queue: str,
        handler: Handler,
        *,
        concurrency: int = 1,
        prefetch: int | None = None,
        on_poison: PoisonHandler | None = None,
    ) -> "MemorySubscription":
        """Run `handler` for each message in `concurrency` threads."""
        hold = prefetch or max(self.settings.prefetch, concurrency)
        with self.changed:
            subscription = MemorySubscription(self, self.queue(queue), handler, on_poison, hold)
            self._subscriptions.append(subscription)
        subscription.start(concurrency)
        return subscription

    def depth(self, queue: str) -> int:
        """Return how many messages wait on `queue`."""
        with self.changed:
            return len(self.queue(queue).ready)

    def check(self) -> None:
        """Raise BrokerUnavailable once closed."""
        if self._closed:
            raise BrokerUnavailable("the broker is closed")

    def close(self) -> None:
        """Close all subscriptions; messages that are left are gone with the process."""
        for subscription in list(self._subscriptions):
            subscription.close()
        self.timers.close()
        with self.changed:
            self._closed = True

    def queue(self, name: str) -> _Queue:
        """Find a queue; the caller holds `changed`."""
        self.check()
        if name not in self._queues:
            raise Unroutable(f"no queue {name}")
        return self._queues[name]

    def put(self, queue: str, message: _Message, *, front: bool = False) -> None:
        """Put a message on a queue whatever its limit: what the broker has taken it does not refuse later."""
        with self.changed:
            self._queues[queue].push(message, front=front)
            self.changed.notify_all()


class MemoryDelivery(BaseDelivery):
    """One message in a consumer's hands."""

    def __init__(self, broker: MemoryBroker, spec: QueueSpec, message: _Message, release: Callable[[], bool]) -> None:
        """`release` takes the message out of the consumer's hands; False when it was given back meanwhile."""
        super().__init__(spec, message.body, message.headers, message.attempt, broker.settings.attempts)
        self._broker = broker
        self._release = release

    def _remove(self) -> None:
        self._release()

    def _put_back(self) -> None:
        delay_s = self._broker.settings.retry_delays_s()[self._attempt - 1] if self._spec.durable_work else 0.0
        again = _Message(self._body, stamp(self._headers, attempt=self._attempt + 1, delay_s=delay_s))
        if not self._release():
            return
        if delay_s:
            self._broker.timers.call_later(delay_s, lambda: self._broker.put(self._queue, again))
        else:
            self._broker.put(self._queue, again)

    def _park(self, reason: str) -> None:
        if self._release():
            parked = _Message(self._body, stamp(self._headers, attempt=self._attempt, reason=reason))
            self._broker.put(topology.dead(self._queue), parked)


class MemorySubscription:
    """A running consumer."""

    def __init__(
        self, broker: MemoryBroker, queue: _Queue, handler: Handler, on_poison: PoisonHandler | None, prefetch: int
    ) -> None:
        """Hold at most `prefetch` messages that are not settled."""
        self._broker = broker
        self._queue = queue
        self._handler = handler
        self._on_poison = on_poison
        self._prefetch = prefetch
        self._held: dict[int, _Message] = {}
        self._next_tag = 0
        self._closing = False
        self._threads: list[threading.Thread] = []

    def start(self, concurrency: int) -> None:
        """Start the handler threads."""
        name = f"consume {self._queue.spec.name}"
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for _ in range(concurrency)]
        for thread in self._threads:
            thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop taking messages, let the handlers finish, give back what they have not settled by then."""
        with self._broker.changed:
            self._closing = True
            self._broker.changed.notify_all()
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline_s - time.monotonic()))
        with self._broker.changed:
            for tag in sorted(self._held, reverse=True):
                message = self._held.pop(tag)
                again = _Message(message.body, stamp(message.headers, attempt=message.attempt + 1))
                self._broker.put(self._queue.spec.name, again, front=True)

    def _run(self) -> None:
        while (delivery := self._take()) is not None:
            run_handler(delivery, self._handler, self._on_poison)

    def _take(self) -> MemoryDelivery | None:
        """Wait for a message; None once closing."""
        with self._broker.changed:
            while not self._closing:
                if self._queue.ready and len(self._held) < self._prefetch:
                    return self._deliver(self._queue.pop())
                self._broker.changed.wait()
            return None

    def _deliver(self, message: _Message) -> MemoryDelivery:
        tag = self._next_tag
        self._next_tag += 1
        self._held[tag] = message
        return MemoryDelivery(self._broker, self._queue.spec, message, lambda: self._release(tag))

    def _release(self, tag: int) -> bool:
        with self._broker.changed:
            self._broker.changed.notify_all()
            return self._held.pop(tag, None) is not None
