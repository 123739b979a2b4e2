"""The owner's reply queues: takes what the stage workers send back and hands it to the session it belongs to."""

import threading
import uuid
from typing import Protocol

import structlog

from orchestrator.errors import MalformedMessage
from orchestrator.messages import SegmentFailed, SpokenSentence, Transcript, decode
from orchestrator.queues import topology
from orchestrator.queues.broker import Broker, Delivery, QueueSpec, Subscription
from orchestrator.telemetry.deliveries import working_on
from orchestrator.telemetry.spans import Attributes

log = structlog.get_logger()

Reply = Transcript | SpokenSentence | SegmentFailed


class ReplySink(Protocol):
    """A session, as the router sees it."""

    def on_reply(self, reply: Reply) -> None:
        """Take one reply; must not raise for a repeated one."""
        ...


class ReplyRouter:
    """Consumes one owner's two reply queues. Replies for a session that has ended are dropped: nobody needs them."""

    def __init__(self, broker: Broker, owner: str) -> None:
        """Declare the queues and start consuming; `owner` is unique to this process."""
        self.transcripts = topology.transcripts(owner)
        self.audio_output = topology.audio_output(owner)
        self._sinks: dict[uuid.UUID, ReplySink] = {}
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        for queue in (self.transcripts, self.audio_output):
            broker.declare(QueueSpec(queue, durable_work=False))
            self._subscriptions.append(broker.consume(queue, self._handle, prefetch=16))

    def register(self, session_id: uuid.UUID, sink: ReplySink) -> None:
        """Send the session's replies to `sink` from now on."""
        with self._lock:
            self._sinks[session_id] = sink

    def unregister(self, session_id: uuid.UUID) -> None:
        """Drop the session's replies from now on."""
        with self._lock:
            self._sinks.pop(session_id, None)

    def close(self) -> None:
        """Stop consuming."""
        for subscription in self._subscriptions:
            subscription.close()

    def _handle(self, delivery: Delivery) -> None:
        try:
            record = decode(delivery.body)
            if not isinstance(record, Transcript | SpokenSentence | SegmentFailed):
                raise MalformedMessage(f"{type(record).__name__} on a reply queue")
        except MalformedMessage as error:
            delivery.dead_letter(str(error))
            return
        ids: Attributes = {"polylip.session": str(record.session_id), "polylip.segment": record.sequence}
        with (
            structlog.contextvars.bound_contextvars(session=str(record.session_id), segment=record.sequence),
            working_on(delivery, "reply", ids),
        ):
            self._hand_over(record, delivery.queue)
        delivery.ack()

    def _hand_over(self, record: Reply, queue: str) -> None:
        with self._lock:
            sink = self._sinks.get(record.session_id)
        if sink is None:
            log.info("reply for a session that is not here", queue=queue)
        else:
            sink.on_reply(record)
