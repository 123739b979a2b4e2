"""Both brokers behind one fixture, with retries of milliseconds and names of their own for each test."""

import contextlib
import uuid
from collections.abc import Callable, Iterator

import pika
import pytest

from orchestrator.queues import topology
from orchestrator.queues.broker import Broker, QueueSpec
from orchestrator.queues.memory import MemoryBroker
from orchestrator.queues.rabbitmq import RabbitBroker
from orchestrator.settings import MIB, BrokerSettings

QUICK = {"retry_delay_s": 0.05, "retry_factor": 2.0, "queue_max_bytes": MIB, "heartbeat_s": 5}

MakeBroker = Callable[..., Broker]


@pytest.fixture
def queue_name() -> str:
    return f"test.{uuid.uuid4()}"


@pytest.fixture
def rabbit_queue(queue_name: str, rabbitmq_url: str) -> Iterator[str]:
    """A queue name whose queues are deleted from the node after the test."""
    yield queue_name
    retries = [topology.retry(queue_name, n) for n in range(1, 10)]
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
    with contextlib.closing(connection):
        channel = connection.channel()
        for name in (queue_name, topology.suspects(queue_name), topology.dead(queue_name), *retries):
            channel.queue_delete(name)


@pytest.fixture(params=["memory", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def make_broker(request: pytest.FixtureRequest, queue_name: str) -> Iterator[MakeBroker]:
    """Makes brokers with `QUICK` settings, changed by keywords; all are closed after the test."""
    made: list[Broker] = []

    def make(**changes: object) -> Broker:
        if request.param == "memory":
            made.append(MemoryBroker(BrokerSettings(**{**QUICK, **changes})))
        else:
            url = request.getfixturevalue("rabbitmq_url")
            made.append(RabbitBroker(BrokerSettings(**{**QUICK, "url": url, **changes})))
        return made[-1]

    if request.param == "rabbitmq":
        request.getfixturevalue("rabbit_queue")
    yield make
    for broker in made:
        broker.close()


@pytest.fixture
def work_queue(make_broker: MakeBroker, queue_name: str) -> tuple[Broker, str]:
    """A broker and a declared work queue."""
    broker = make_broker()
    broker.declare(QueueSpec(queue_name))
    return broker, queue_name
