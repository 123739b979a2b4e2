"""Calls that are rare and must tell the truth of this moment: each has a short connection of its own (about 10 ms)."""

from collections.abc import Iterator
from contextlib import contextmanager

import pika
from pika.adapters.blocking_connection import BlockingChannel

from orchestrator.queues.broker import QueueSpec
from orchestrator.queues.rabbitmq.parameters import PIKA_ERRORS, connection_parameters, translate
from orchestrator.queues.rabbitmq.queues import definitions
from orchestrator.settings import BrokerSettings


class Admin:
    """Declares, counts, checks. Raises BrokerUnavailable, Unroutable, or BrokerError for queues of other settings."""

    def __init__(self, settings: BrokerSettings) -> None:
        """Connect at each call only."""
        self._settings = settings
        self._parameters = connection_parameters(settings, "polylip admin")

    def declare(self, queue: QueueSpec) -> None:
        """Make the queue and those beside it exist."""
        with self._channel() as channel:
            for definition in definitions(queue, self._settings):
                channel.queue_declare(definition.name, durable=True, arguments=definition.arguments)

    def depth(self, queue: str) -> int:
        """Return how many messages are ready."""
        with self._channel() as channel:
            answer = channel.queue_declare(queue, passive=True)
            return int(answer.method.message_count)

    def check(self) -> None:
        """Open a channel."""
        with self._channel():
            pass

    @contextmanager
    def _channel(self) -> Iterator[BlockingChannel]:
        try:
            connection = pika.BlockingConnection(self._parameters)
            try:
                yield connection.channel()
            finally:
                if connection.is_open:
                    connection.close()
        except PIKA_ERRORS as error:
            raise translate(error) from error
