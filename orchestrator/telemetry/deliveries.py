"""What every consumer tells of a delivery: how long it waited, which trace it belongs to, what work was done on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from orchestrator.clock import now_ms
from orchestrator.queues.broker import TRACEPARENT_HEADER, Delivery
from orchestrator.telemetry.metrics import queue_family
from orchestrator.telemetry.spans import Attributes, Span, record_since, span
from orchestrator.tracing import trace_id_of


@contextmanager
def working_on(delivery: Delivery, name: str, attributes: Attributes | None = None) -> Iterator[Span]:
    """Make the wait in the queue and the block two spans of the message's trace, and bind `trace_id` for log lines.

    The spans' parent is whoever published the message, at every try: a message keeps its headers on its way through
    retries and dead letters.
    """
    queue = queue_family(delivery.queue)
    parent = delivery.headers.get(TRACEPARENT_HEADER, "")
    every: Attributes = {
        **(attributes or {}),
        "messaging.system": "rabbitmq",
        "messaging.destination.name": queue,
        "polylip.attempt": delivery.attempt,
    }
    # "" would make the wait a trace of its own
    if parent:
        record_since(f"queue {queue}", parent, min(delivery.published_at_ms, now_ms()), "consumer", every)
    with (
        span(name, parent, "consumer", every) as begun,
        structlog.contextvars.bound_contextvars(trace_id=trace_id_of(begun.traceparent)),
    ):
        yield begun
