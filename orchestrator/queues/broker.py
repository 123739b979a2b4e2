"""The broker's contract: what the workers, the owner and the gateway know of message queues.

Two fillings: the package `rabbitmq` (the only place that imports pika) and `memory.py` (one process, nothing else
running). Both hold to the same promises, and the same tests run against both:

- `publish` returns only when the broker has taken the message (confirm), and raises when no queue takes it.
- A message stays with the broker until it is settled; a consumer that dies gives it back, and the try counts.
- `retry_later` counts tries in a header of our own and spaces them out; after the last one the message is parked on
  `<queue>.dead` with the reason.
- A full queue refuses (`QueueFull`); nothing is dropped.

A reply queue has neither retry queues nor a dead-letter queue, for it dies with its owner: there `retry_later` puts the
message back at once, and `dead_letter` logs and drops it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

ATTEMPT_HEADER = "x-polylip-attempt"
"""1 for the first try."""
REASON_HEADER = "x-polylip-reason"
"""Why a message was dead-lettered."""
PUBLISHED_AT_HEADER = "x-polylip-published-at-ms"
"""Unix time at which the message was put on its queue (a retry: put back); queue time is measured from here."""
TRACEPARENT_HEADER = "traceparent"
"""W3C Trace Context."""


class Delivery(Protocol):
    """One message in a consumer's hands. Exactly one of the three settling calls must be made, from any thread."""

    @property
    def queue(self) -> str:
        """Queue it came from."""
        ...

    @property
    def body(self) -> bytes:
        """As published."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """As published, plus our own of above."""
        ...

    @property
    def attempt(self) -> int:
        """1 for the first try."""
        ...

    @property
    def published_at_ms(self) -> int:
        """Unix time at which it was put on this queue (a retry: put back)."""
        ...

    def ack(self) -> None:
        """The work is done and its result published."""
        ...

    def retry_later(self, reason: str) -> bool:
        """Give it back for another try after a delay; False when that was the last try and it was dead-lettered."""
        ...

    def dead_letter(self, reason: str) -> None:
        """Park it on `<queue>.dead` with the reason."""
        ...


Handler = Callable[[Delivery], None]

PoisonHandler = Callable[[Delivery, str], None]
"""Told of a message that the broker is about to park by its own decision, and the reason. Must not settle it."""


class Subscription(Protocol):
    """A running consumer."""

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop taking messages, let the handler finish, give back what it has not begun."""
        ...


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A queue to be declared."""

    name: str
    durable_work: bool = True
    """Work queue: quorum type, retry queues and a dead-letter queue beside it. False: an owner's reply queue, which
    the broker deletes when nobody has read it for `reply_queue_expires_s`."""


class Broker(Protocol):
    """A message broker. All calls are thread-safe."""

    def declare(self, queue: QueueSpec) -> None:
        """Make the queue (and its retry and dead-letter queues) exist; idempotent."""
        ...

    def publish(self, queue: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Put a persistent message on `queue` and wait for the broker's confirm.

        Raises:
            QueueFull: the queue refuses more for now.
            Unroutable: no such queue.
            BrokerUnavailable: no connection, or no confirm within `publish_timeout_s`.
        """
        ...

    def consume(
        self,
        queue: str,
        handler: Handler,
        *,
        concurrency: int = 1,
        prefetch: int | None = None,
        on_poison: PoisonHandler | None = None,
    ) -> Subscription:
        """Run `handler` for each message, in `concurrency` threads; reconnects by itself after a broken connection.

        `prefetch`: messages held at once (default: the settings', or `concurrency` where that is more). A handler
        that raises is a fault of ours: the message is dead-lettered with the exception, the consumer goes on. A
        message whose consumers died at every try is dead-lettered without another. In both cases `on_poison` is
        called first.

        Raises:
            Unroutable: no such queue.
            BrokerUnavailable: no connection.
        """
        ...

    def depth(self, queue: str) -> int:
        """Return how many messages wait on `queue`, not counting those in a consumer's hands; raises as `consume`."""
        ...

    def check(self) -> None:
        """Raise BrokerUnavailable unless the broker answers now."""
        ...

    def close(self) -> None:
        """Close all subscriptions and connections."""
        ...
