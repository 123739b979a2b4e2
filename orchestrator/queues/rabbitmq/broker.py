"""RabbitBroker: the contract of orchestrator/queues/broker.py over RabbitMQ."""

from collections.abc import Mapping

from orchestrator.queues.broker import Handler, PoisonHandler, QueueSpec
from orchestrator.queues.delivery import stamp
from orchestrator.queues.rabbitmq.admin import Admin
from orchestrator.queues.rabbitmq.consumer import RabbitSubscription
from orchestrator.queues.rabbitmq.publisher import Publisher
from orchestrator.queues.rabbitmq.queues import definitions
from orchestrator.settings import BrokerSettings
from orchestrator.telemetry.metrics import counted_publish


class RabbitBroker:
    """One connection publishes, each subscription has its own: a node in alarm stops publishers, not consumers."""

    def __init__(self, settings: BrokerSettings) -> None:
        """Connect with the first call; raises ValueError for a URL that is none."""
        self._settings = settings
        self._admin = Admin(settings)
        self._publisher = Publisher(settings)
        self._specs: dict[str, QueueSpec] = {}
        self._subscriptions: list[RabbitSubscription] = []

    def declare(self, queue: QueueSpec) -> None:
        """Make the queue (and its retry, suspects' and dead-letter queues) exist.

        Raises:
            BrokerUnavailable: no connection.
            BrokerError: the queue exists, made under other settings.
        """
        self._admin.declare(queue)
        self._specs[queue.name] = queue

    def publish(self, queue: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Publish and wait for the confirm; reconnects by itself while `publish_timeout_s` lasts."""
        with counted_publish(queue):
            self._publisher.publish(queue, body, stamp(headers or {}))

    def consume(
        self,
        queue: str,
        handler: Handler,
        *,
        concurrency: int = 1,
        prefetch: int | None = None,
        on_poison: PoisonHandler | None = None,
    ) -> RabbitSubscription:
        """Run `handler` for each message; a queue that this broker did not declare is treated as a reply queue."""
        self.depth(queue)  # raises when the queue or the broker is not there
        subscription = RabbitSubscription(
            self._specs.get(queue, QueueSpec(queue, durable_work=False)),
            definitions(self._specs[queue], self._settings) if queue in self._specs else (),
            self._settings,
            self._publisher,
            self._admin,
            handler,
            on_poison,
            concurrency,
            prefetch or max(self._settings.prefetch, concurrency),
        )
        subscription.start(self._settings.publish_timeout_s)
        self._subscriptions.append(subscription)
        return subscription

    def depth(self, queue: str) -> int:
        """Return how many messages wait on `queue`."""
        return self._admin.depth(queue)

    def check(self) -> None:
        """Raise BrokerUnavailable unless the broker answers now."""
        self._admin.check()

    def close(self) -> None:
        """Close the subscriptions (their handlers may still publish), then the publishing connection."""
        for subscription in self._subscriptions:
            subscription.close()
        self._publisher.close()
