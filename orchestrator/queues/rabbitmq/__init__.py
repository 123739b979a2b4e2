"""RabbitMQ behind the broker's contract; the only package that imports pika.

Written for RabbitMQ 3.10.8 (Debian 12) and 4.x alike: nothing here exists on one side only.
"""

from orchestrator.queues.rabbitmq.broker import RabbitBroker

__all__ = ["RabbitBroker"]
