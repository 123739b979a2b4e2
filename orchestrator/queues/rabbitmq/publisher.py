"""Publishing with confirms: many threads publish at once over one channel, each waits for its own verdict."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field

import pika
from pika import spec
from pika.channel import Channel
from pika.frame import Method

from orchestrator.errors import BrokerError, BrokerUnavailable, QueueFull, Unroutable
from orchestrator.queues.rabbitmq.link import Link
from orchestrator.settings import BrokerSettings

MAX_SENDS = 2
"""A message whose connection broke before the confirm is sent once more by itself; it may then exist twice."""


@dataclass(slots=True)
class _Outgoing:
    """One message on its way; `verdict` ends the caller's wait."""

    number: str
    queue: str
    body: bytes
    headers: dict[str, str]
    verdict: Future[None] = field(default_factory=Future)
    sends: int = 0
    returned: bool = False

    def settle(self, error: BrokerError | None = None) -> None:
        with suppress(InvalidStateError):  # the caller has given up waiting
            if error is None:
                self.verdict.set_result(None)
            else:
                self.verdict.set_exception(error)


class Publisher:
    """Fields without a lock belong to the link's thread."""

    def __init__(self, settings: BrokerSettings) -> None:
        """Connect with the first message."""
        self._timeout_s = settings.publish_timeout_s
        self._link = Link("polylip publish", settings, self._on_open, self._on_lost)
        self._start_lock = threading.Lock()
        self._started = False
        self._closed = False
        self._numbers = itertools.count(1)
        self._channel: Channel | None = None
        self._loss = "no connection yet"
        self._next_tag = 1
        self._waiting: deque[_Outgoing] = deque()
        self._unconfirmed: dict[int, _Outgoing] = {}

    def publish(self, queue: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Publish a persistent message and wait for the confirm; errors as in `Broker.publish`."""
        self._start()
        outgoing = _Outgoing(str(next(self._numbers)), queue, bytes(body), dict(headers))
        self._link.call(lambda: self._send(outgoing))
        try:
            outgoing.verdict.result(self._timeout_s)
        except FutureTimeoutError as error:
            outgoing.verdict.cancel()
            self._link.call(self._forget_cancelled)
            raise BrokerUnavailable(f"{queue}: no confirm within {self._timeout_s:g} s ({self._loss})") from error

    def close(self) -> None:
        """Close the connection; whoever still waits gets BrokerUnavailable."""
        with self._start_lock:
            self._closed = True
        if self._started:
            self._link.call(self._fail_all)
            self._link.close()

    def _start(self) -> None:
        with self._start_lock:
            if self._closed:
                raise BrokerUnavailable("the broker is closed")
            if not self._started:
                self._started = True
                self._link.start()

    def _send(self, outgoing: _Outgoing) -> None:
        if outgoing.verdict.cancelled():
            return
        if self._channel is None or not self._channel.is_open:
            self._waiting.append(outgoing)
            return
        outgoing.sends += 1
        properties = pika.BasicProperties(
            delivery_mode=pika.DeliveryMode.Persistent.value,
            content_type="application/msgpack",
            message_id=outgoing.number,
            timestamp=int(time.time()),
            headers=outgoing.headers,
        )
        self._unconfirmed[self._next_tag] = outgoing
        self._next_tag += 1
        self._channel.basic_publish("", outgoing.queue, outgoing.body, properties, mandatory=True)

    def _on_open(self, channel: Channel) -> None:
        channel.confirm_delivery(self._on_confirm)
        channel.add_on_return_callback(self._on_return)
        channel.connection.add_on_connection_blocked_callback(self._on_blocked)
        self._channel, self._next_tag, self._loss = channel, 1, "the node does not answer"
        waiting, self._waiting = self._waiting, deque()
        for outgoing in waiting:
            self._send(outgoing)

    def _on_blocked(self, _connection: object, _frame: Method) -> None:
        self._loss = "the node takes nothing: its memory or its disk runs out"

    def _on_lost(self, reason: str) -> None:
        self._channel, self._loss = None, reason
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        for outgoing in unconfirmed.values():
            if outgoing.sends < MAX_SENDS:
                self._waiting.append(outgoing)
            else:
                outgoing.settle(BrokerUnavailable(f"{outgoing.queue}: {reason}"))

    def _on_return(
        self, _channel: Channel, _method: spec.Basic.Return, properties: pika.BasicProperties, _: bytes
    ) -> None:
        # The broker sends the return before the confirm of the same message.
        for outgoing in self._unconfirmed.values():
            if outgoing.number == properties.message_id:
                outgoing.returned = True

    def _on_confirm(self, frame: Method) -> None:
        tag, refused = frame.method.delivery_tag, isinstance(frame.method, spec.Basic.Nack)
        tags = [t for t in self._unconfirmed if t <= tag] if frame.method.multiple else [tag]
        for outgoing in filter(None, (self._unconfirmed.pop(t, None) for t in tags)):
            if refused:
                outgoing.settle(QueueFull(f"{outgoing.queue} refuses more for now"))
            elif outgoing.returned:
                outgoing.settle(Unroutable(f"no queue {outgoing.queue}"))
            else:
                outgoing.settle()

    def _forget_cancelled(self) -> None:
        self._waiting = deque(o for o in self._waiting if not o.verdict.cancelled())

    def _fail_all(self) -> None:
        for outgoing in (*self._waiting, *self._unconfirmed.values()):
            outgoing.settle(BrokerUnavailable("the broker is closed"))
