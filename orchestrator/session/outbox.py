"""Publishing for a session: waits while a queue is full or the broker is away, and says so when that takes too long."""

import threading

import tenacity

from orchestrator.errors import BrokerUnavailable, QueueFull, SessionCancelled
from orchestrator.messages import AnyRecord, encode
from orchestrator.queues.broker import TRACEPARENT_HEADER, Broker
from orchestrator.telemetry.metrics import queue_family
from orchestrator.telemetry.spans import span


class Outbox:
    """Publishes a session's records. A full queue is back-pressure: the session waits, nothing is lost."""

    def __init__(self, broker: Broker, traceparent: str, stop: threading.Event, patience_s: float) -> None:
        """`stop` ends the waiting with SessionCancelled; after `patience_s` the broker's own error is raised."""
        self._broker = broker
        self._traceparent = traceparent
        self._stop = stop
        self._patience_s = patience_s

    def publish(self, queue: str, record: AnyRecord) -> None:
        """Publish one record with its own span id."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((QueueFull, BrokerUnavailable)),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=2.0, jitter=0.1),
            stop=tenacity.stop_after_delay(self._patience_s),
            sleep=self._sleep,
            reraise=True,
        )
        with span(f"publish {queue_family(queue)}", self._traceparent, "producer") as begun:
            retrying(self._broker.publish, queue, encode(record), {TRACEPARENT_HEADER: begun.traceparent})

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise SessionCancelled("stopped while waiting for the broker")
