"""One RabbitMQ message in a consumer's hands: settling it goes back through the channel that it came by."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
import tenacity
from pika import spec
from pika.channel import Channel

from orchestrator.errors import BrokerUnavailable, QueueFull, Unroutable
from orchestrator.queues import topology
from orchestrator.queues.broker import ATTEMPT_HEADER, QueueSpec
from orchestrator.queues.delivery import BaseDelivery, stamp, whole_number
from orchestrator.queues.rabbitmq.admin import Admin
from orchestrator.queues.rabbitmq.link import Link
from orchestrator.queues.rabbitmq.publisher import Publisher
from orchestrator.settings import BrokerSettings

log = structlog.get_logger(__name__)

_OUR_PREFIX = "x-polylip-"
_DELIVERY_COUNT_HEADER = "x-delivery-count"
"""Set by quorum queues: how many deliveries of this message came to nothing because its consumer was lost."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the deliveries of one subscription share."""

    spec: QueueSpec
    settings: BrokerSettings
    link: Link
    publisher: Publisher
    admin: Admin
    closing: threading.Event
    """The consumer stops: what cannot be moved now is left to the broker."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as pika hands it over."""

    channel: Channel
    method: spec.Basic.Deliver
    headers: Mapping[str, object]
    body: bytes

    def own_headers(self) -> dict[str, str]:
        """Our and the caller's headers; the broker's own (x-death, …) must not travel with a message sent anew."""
        return {
            name: text
            for name, text in self.headers.items()
            if isinstance(text, str) and (name.startswith(_OUR_PREFIX) or not name.startswith("x-"))
        }

    def lost_consumers(self) -> int:
        """Return how many consumers were lost while they held this message."""
        count = self.headers.get(_DELIVERY_COUNT_HEADER)
        return count if isinstance(count, int) else int(bool(self.method.redelivered))


class RabbitDelivery(BaseDelivery):
    """Settle it in any thread, even after its connection broke: then the broker delivers the message again anyway."""

    def __init__(self, context: Context, arrival: Arrival) -> None:
        """Count the tries: those put down in the header, and those whose consumers were lost.

        In the work queue several messages are in hand at once, so the loss of a consumer proves nothing against any
        of them: it counts once, and the message goes to the suspects' lane, where each further loss counts.
        """
        headers = arrival.own_headers()
        lost = arrival.lost_consumers()
        alone = arrival.method.routing_key == topology.suspects(context.spec.name)
        attempt = whole_number(headers.get(ATTEMPT_HEADER), 1) + (lost if alone else min(lost, 1))
        super().__init__(context.spec, arrival.body, headers, attempt, context.settings.attempts)
        self.suspect = context.spec.durable_work and lost > 0 and not alone
        """A consumer was lost while it held this message, perhaps because of it: work on it alone."""
        self._context = context
        self._channel = arrival.channel
        self._tag = arrival.method.delivery_tag

    @property
    def stale(self) -> bool:
        """The channel it came by is gone, so the broker gives it to another consumer (or has done so)."""
        return not self._channel.is_open

    def isolate(self) -> None:
        """Move it to the suspects' lane; its count of tries goes with it."""
        self._settle()
        log.warning("its consumer was lost", queue=self._queue, attempt=self._attempt)
        self._move(topology.suspects(self._queue), stamp(self._headers, attempt=self._attempt))

    def give_back(self) -> None:
        """Return it without blame, for a consumer that stops before it has begun the work."""
        self._settle()
        self._move(self._queue, {**self._headers, ATTEMPT_HEADER: str(self._attempt)})

    def _remove(self) -> None:
        # Flushed, because the next message may kill this process: then this one must not come again.
        if self.stale:
            self._too_late()
        else:
            self._context.link.call_and_flush(self._send_ack)

    def _put_back(self) -> None:
        if self._spec.durable_work:
            delay_s = self._context.settings.retry_delays_s()[self._attempt - 1]
            target = topology.retry(self._queue, self._attempt)
        else:
            delay_s, target = 0.0, self._queue
        self._move(target, stamp(self._headers, attempt=self._attempt + 1, delay_s=delay_s))

    def _park(self, reason: str) -> None:
        self._move(topology.dead(self._queue), stamp(self._headers, attempt=self._attempt, reason=reason))

    def _move(self, queue: str, headers: Mapping[str, str]) -> None:
        """Publish it to `queue`, then ack it here: in this order a crash in between doubles it and never loses it."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((QueueFull, BrokerUnavailable, Unroutable)),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=5.0, jitter=0.3),
            stop=lambda _: self.stale or self._context.closing.is_set(),
            sleep=tenacity.sleep_using_event(self._context.closing),
        )
        try:
            moved = not self.stale and retrying(self._publish, queue, headers)
        except tenacity.RetryError as error:
            log.warning(
                "left to the broker", queue=self._queue, target=queue, reason=str(error.last_attempt.exception())
            )
            return
        if moved:
            self._remove()

    def _publish(self, queue: str, headers: Mapping[str, str]) -> bool:
        try:
            self._context.publisher.publish(queue, self._body, headers)
        except Unroutable:  # somebody deleted a queue under us
            if self._spec.durable_work:
                self._context.admin.declare(self._context.spec)
            raise
        return True

    def _send_ack(self) -> None:
        if self._channel.is_open:
            self._channel.basic_ack(self._tag)
        else:
            self._too_late()

    def _too_late(self) -> None:
        # Its tag means nothing to another channel.
        log.info("too late to ack: the connection broke, the message comes again", queue=self._queue)
