"""A running consumer: the link's thread takes messages in, handler threads work on them."""

import queue
import threading
import time
from collections.abc import Sequence

import structlog
from pika import BasicProperties, spec
from pika.channel import Channel

from orchestrator.errors import BrokerUnavailable
from orchestrator.logs import thread_with_ids
from orchestrator.queues import topology
from orchestrator.queues.broker import Handler, PoisonHandler, QueueSpec
from orchestrator.queues.delivery import run_handler
from orchestrator.queues.rabbitmq.admin import Admin
from orchestrator.queues.rabbitmq.delivery import Arrival, Context, RabbitDelivery
from orchestrator.queues.rabbitmq.link import Link
from orchestrator.queues.rabbitmq.publisher import Publisher
from orchestrator.queues.rabbitmq.queues import Definition
from orchestrator.settings import BrokerSettings

log = structlog.get_logger(__name__)

_STOP = None


class RabbitSubscription:
    """Consumes one queue, and for a work queue its suspects' lane, where messages come one at a time."""

    def __init__(
        self,
        queue_spec: QueueSpec,
        declared: Sequence[Definition],
        settings: BrokerSettings,
        publisher: Publisher,
        admin: Admin,
        handler: Handler,
        on_poison: PoisonHandler | None,
        concurrency: int,
        prefetch: int,
    ) -> None:
        """Nothing runs before `start`. `declared`: the queues to declare anew with each connection."""
        self._spec = queue_spec
        self._declared = declared
        self._handler = handler
        self._on_poison = on_poison
        self._prefetch = prefetch
        self._inbox: queue.SimpleQueue[RabbitDelivery | None] = queue.SimpleQueue()
        self._consuming = threading.Event()
        self._closing = threading.Event()
        self._channel: Channel | None = None
        self._loss = "no answer"
        name = f"polylip consume {queue_spec.name}"
        self._link = Link(name, settings, self._on_open, self._on_lost)
        self._context = Context(queue_spec, settings, self._link, publisher, admin, self._closing)
        self._threads = [thread_with_ids(self._run, name) for _ in range(concurrency)]

    def start(self, timeout_s: float) -> None:
        """Return when messages can arrive; raises BrokerUnavailable when that takes too long."""
        self._link.start()
        if not self._consuming.wait(timeout_s):
            self._link.close()
            raise BrokerUnavailable(f"could not consume {self._spec.name} within {timeout_s:g} s: {self._loss}")
        for thread in self._threads:
            thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop taking messages, let the handlers finish, give back what was not begun, settle, disconnect."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._channel is None:  # between two connections
            self._stop_threads()
        else:
            self._link.call(self._cancel)
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline_s - time.monotonic()))
        self._link.close()

    def _run(self) -> None:
        while (delivery := self._inbox.get()) is not _STOP:
            try:
                self._handle(delivery)
            except Exception:  # a fault of ours in settling: the message stays unsettled, the consumer goes on
                log.exception("settling failed", queue=self._spec.name)

    def _handle(self, delivery: RabbitDelivery) -> None:
        if delivery.stale:
            return
        if self._closing.is_set():
            delivery.give_back()
        elif delivery.suspect and not delivery.exhausted:
            delivery.isolate()
        else:
            run_handler(delivery, self._handler, self._on_poison)

    def _on_open(self, channel: Channel) -> None:
        if self._closing.is_set():
            return
        self._channel = channel
        channel.add_on_cancel_callback(lambda _frame: channel.close())  # the queue was deleted: begin anew
        for definition in self._declared:
            channel.queue_declare(definition.name, durable=True, arguments=definition.arguments)
        if self._spec.durable_work:
            self._consume(channel, topology.suspects(self._spec.name), prefetch=1)
        self._consume(channel, self._spec.name, self._prefetch)

    def _consume(self, channel: Channel, name: str, prefetch: int) -> None:
        channel.basic_qos(prefetch_count=prefetch)  # for the consumers that follow, each by itself
        channel.basic_consume(name, self._on_message, consumer_tag=name, callback=lambda _frame: self._consuming.set())

    def _on_message(
        self, channel: Channel, method: spec.Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        self._inbox.put(RabbitDelivery(self._context, Arrival(channel, method, properties.headers or {}, body)))

    def _on_lost(self, reason: str) -> None:
        self._channel, self._loss = None, reason
        if self._closing.is_set():
            self._stop_threads()

    def _cancel(self) -> None:
        if self._channel is None or not self._channel.is_open:
            self._stop_threads()
            return
        # What is on its way to us while we cancel is rejected by pika itself, and the broker counts it as a lost try.
        if self._spec.durable_work:
            self._channel.basic_cancel(topology.suspects(self._spec.name))
        self._channel.basic_cancel(self._spec.name, callback=lambda _frame: self._stop_threads())

    def _stop_threads(self) -> None:
        for _ in self._threads:
            self._inbox.put(_STOP)
