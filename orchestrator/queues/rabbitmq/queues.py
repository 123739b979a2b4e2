"""What the broker is told about each queue. RabbitMQ compares these arguments whenever a queue is declared again.

Why these: quorum queues lose nothing when a node is killed and keep count of deliveries; `reject-publish` refuses
where the default silently drops the oldest message; `at-least-once` keeps a message in its retry queue until the work
queue has taken it.
"""

from dataclasses import dataclass

from orchestrator.queues import topology
from orchestrator.queues.broker import QueueSpec
from orchestrator.settings import BrokerSettings

CRASH_BACKSTOP = 20
"""Deliveries after which the broker itself parks a message: for workers that die before they can count. Far above our
own limit, and what RabbitMQ 4 assumes anyway."""

_MS_PER_HOUR = 3_600_000

Arguments = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Definition:
    """One queue as RabbitMQ knows it; all are durable."""

    name: str
    arguments: Arguments


def definitions(queue: QueueSpec, settings: BrokerSettings) -> list[Definition]:
    """Return the queue and those beside it."""
    if not queue.durable_work:
        return [Definition(queue.name, _reply(settings))]
    delays_s = settings.retry_delays_s()
    return [
        Definition(topology.dead(queue.name), _dead(settings)),
        Definition(queue.name, {**_work(queue.name), **_limit(settings)}),
        Definition(topology.suspects(queue.name), _work(queue.name)),
        *(Definition(topology.retry(queue.name, n), _retry(queue.name, s)) for n, s in enumerate(delays_s, start=1)),
    ]


def _limit(settings: BrokerSettings) -> Arguments:
    return {"x-max-length-bytes": settings.queue_max_bytes, "x-overflow": "reject-publish"}


def _work(queue: str) -> Arguments:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": CRASH_BACKSTOP,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": topology.dead(queue),
    }


def _retry(queue: str, delay_s: float) -> Arguments:
    # One queue for each delay: messages expire at the head only, so a short delay behind a long one would wait for it.
    return {
        "x-queue-type": "quorum",
        "x-message-ttl": max(1, round(delay_s * 1000)),
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",  # at-least-once requires it
    }


def _dead(settings: BrokerSettings) -> Arguments:
    return {"x-queue-type": "quorum", "x-message-ttl": round(settings.dead_letter_retention_hours * _MS_PER_HOUR)}


def _reply(settings: BrokerSettings) -> Arguments:
    return {"x-queue-type": "classic", "x-expires": settings.reply_queue_expires_s * 1000, **_limit(settings)}
