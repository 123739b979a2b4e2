"""What only RabbitMQ can go through: broken connections, a silent node, workers that are killed."""

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pika
import pytest

from orchestrator.errors import BrokerError, BrokerUnavailable
from orchestrator.queues import topology
from orchestrator.queues.broker import REASON_HEADER, QueueSpec
from orchestrator.queues.rabbitmq import RabbitBroker
from orchestrator.queues.rabbitmq.link import Link
from orchestrator.settings import MIB, BrokerSettings
from tests.fakes.broker import Collector
from tests.fakes.tcp_proxy import TcpProxy, proxy_to
from tests.waiting import eventually

pytestmark = pytest.mark.rabbitmq

KILLED = 9


def settings(url: str, **changes: object) -> BrokerSettings:
    return BrokerSettings(
        **{"url": url, "retry_delay_s": 0.05, "queue_max_bytes": MIB, "heartbeat_s": 5, "attempts": 3, **changes}
    )


@pytest.fixture
def broker(rabbitmq_url: str, rabbit_queue: str) -> Iterator[RabbitBroker]:
    """A broker that has declared the work queue `rabbit_queue`."""
    broker = RabbitBroker(settings(rabbitmq_url))
    broker.declare(QueueSpec(rabbit_queue))
    yield broker
    broker.close()


@pytest.fixture
def proxy(rabbitmq_url: str) -> Iterator[TcpProxy]:
    with proxy_to(urlsplit(rabbitmq_url).port or 5672) as proxy:
        yield proxy


@pytest.fixture
def shaky(rabbitmq_url: str, rabbit_queue: str, proxy: TcpProxy) -> Iterator[RabbitBroker]:
    """A broker whose connections all go through `proxy`."""
    real = urlsplit(rabbitmq_url)
    url = rabbitmq_url.replace(f":{real.port}", f":{proxy.port}").replace(real.hostname or "", "127.0.0.1")
    broker = RabbitBroker(settings(url, publish_timeout_s=2.0))
    broker.declare(QueueSpec(rabbit_queue))
    yield broker
    proxy.heal()
    broker.close()


def test_consumers_and_publishers_come_back_after_their_connections_are_cut(shaky, proxy, rabbit_queue):
    collector = Collector()
    shaky.consume(rabbit_queue, collector)
    for n in range(3):
        shaky.publish(rabbit_queue, bytes([n]))
        eventually(lambda n=n: bytes([n]) in collector.bodies)
        eventually(lambda: proxy.connections == 2, what="the publisher's and the consumer's connection")
        proxy.cut()
    shaky.publish(rabbit_queue, b"last")
    eventually(lambda: b"last" in collector.bodies)
    assert {b"\x00", b"\x01", b"\x02", b"last"} == set(collector.bodies)


def test_the_ack_of_a_cut_connection_is_dropped_and_the_message_comes_again(shaky, proxy, rabbit_queue):
    collector = Collector(settle=None)
    shaky.consume(rabbit_queue, collector)
    shaky.publish(rabbit_queue, b"work")
    (first,) = collector.wait_for(1)
    proxy.cut()
    _, again = collector.wait_for(2)
    first.ack()  # its tag means another message now, or none
    assert (again.body, again.attempt) == (b"work", 2)
    again.ack()
    eventually(lambda: shaky.depth(rabbit_queue) == 0)
    shaky.publish(rabbit_queue, b"next")
    assert collector.wait_for(3)[2].body == b"next"


def test_a_deleted_queue_is_made_again_by_its_consumer(broker, rabbitmq_url, rabbit_queue):
    collector = Collector()
    broker.consume(rabbit_queue, collector)
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        connection.channel().queue_delete(rabbit_queue)

    def publishes():
        try:
            broker.publish(rabbit_queue, b"still here")
        except BrokerError:
            return False
        return True

    eventually(publishes)
    collector.wait_for(1)


def test_an_unreachable_node_is_reported_and_not_waited_for_longer_than_the_limit():
    with proxy_to(1) as proxy:
        proxy.cut(refuse=True)
        broker = RabbitBroker(settings(f"amqp://guest:guest@127.0.0.1:{proxy.port}/", publish_timeout_s=0.5))
        for call in (
            broker.check,
            lambda: broker.publish("anything", b""),
            lambda: broker.declare(QueueSpec("anything")),
            lambda: broker.consume("anything", Collector()),
        ):
            begin_s = time.monotonic()
            with pytest.raises(BrokerUnavailable):
                call()
            assert time.monotonic() - begin_s < 10  # missed heartbeats alone would take longer
        broker.close()


def test_a_silent_node_is_reported_within_the_limit_and_used_again_when_it_wakes(shaky, proxy, rabbit_queue):
    shaky.publish(rabbit_queue, b"before")
    proxy.freeze()
    for call in (lambda: shaky.publish(rabbit_queue, b"lost or not"), shaky.check):
        begin_s = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            call()
        assert time.monotonic() - begin_s < 10  # missed heartbeats alone would take longer
    proxy.heal()
    shaky.publish(rabbit_queue, b"after")


def test_wrong_credentials_are_reported_as_such(rabbitmq_url):
    parts = urlsplit(rabbitmq_url)
    broker = RabbitBroker(settings(f"amqp://nobody:wrong@{parts.hostname}:{parts.port}{parts.path}"))
    with pytest.raises(BrokerUnavailable, match=r"(?i)auth|refused"):
        broker.check()


def test_a_queue_made_under_other_settings_is_an_error_that_says_what_to_do(broker, rabbitmq_url, rabbit_queue):
    other = RabbitBroker(settings(rabbitmq_url, queue_max_bytes=2 * MIB))
    with pytest.raises(BrokerError, match="other settings") as caught:
        other.declare(QueueSpec(rabbit_queue))
    assert not caught.value.retryable


def test_messages_survive_the_loss_of_all_connections(broker, rabbitmq_url, rabbit_queue):
    broker.publish(rabbit_queue, b"durable")
    broker.close()
    later = RabbitBroker(settings(rabbitmq_url))
    later.declare(QueueSpec(rabbit_queue))
    collector = Collector()
    later.consume(rabbit_queue, collector)
    collector.wait_for(1)
    later.close()


def test_a_reply_queue_that_nobody_reads_is_deleted(rabbitmq_url, rabbit_queue):
    broker = RabbitBroker(settings(rabbitmq_url, reply_queue_expires_s=1))
    broker.declare(QueueSpec(rabbit_queue, durable_work=False))

    def gone():
        # not depth(): asking a queue for its depth counts as using it
        try:
            broker.publish(rabbit_queue, b"anyone?")
        except BrokerError as error:
            return error.code == "unroutable"
        return False

    eventually(gone)
    broker.close()


WORKER = """
import os, sys
from orchestrator.queues.broker import QueueSpec
from orchestrator.queues.rabbitmq import RabbitBroker
from orchestrator.settings import BrokerSettings
broker = RabbitBroker(BrokerSettings.model_validate_json(sys.argv[1]))
broker.declare(QueueSpec(sys.argv[2]))
broker.declare(QueueSpec(sys.argv[3], durable_work=False))
def work(delivery):
    if delivery.body == b"poison":
        os._exit(9)
    broker.publish(sys.argv[3], delivery.body + b" %d" % delivery.attempt)
    delivery.ack()
broker.consume(sys.argv[2], work)
sys.stdin.read()
"""


def test_a_message_that_kills_workers_is_parked_and_its_neighbours_are_done(broker, rabbitmq_url, rabbit_queue):
    results = f"test.{uuid.uuid4()}"
    broker.declare(QueueSpec(results, durable_work=False))
    neighbours = {f"ok{n}".encode() for n in range(5)}
    for body in (b"poison", *sorted(neighbours)):
        broker.publish(rabbit_queue, body)
    command = [sys.executable, "-c", WORKER, settings(rabbitmq_url).model_dump_json(), rabbit_queue, results]
    dead, done = Collector(), Collector()
    broker.consume(topology.dead(rabbit_queue), dead)
    broker.consume(results, done)
    deaths = 0
    while not dead.deliveries:
        worker = subprocess.Popen(command, stdin=subprocess.PIPE)
        eventually(lambda worker=worker: dead.deliveries or worker.poll() is not None, what="a death or the parking")
        if worker.poll() is None:
            eventually(lambda: neighbours <= {body.split()[0] for body in done.bodies})
        assert worker.stdin is not None
        worker.stdin.close()
        worker.kill()
        deaths += worker.wait() == KILLED
    assert deaths == 3
    assert dead.bodies == [b"poison"]
    assert "died at each of 3 tries" in dead.deliveries[0].headers[REASON_HEADER]
    assert {body.split()[0] for body in done.bodies} == neighbours
    assert all(int(body.split()[1]) <= 2 for body in done.bodies)


def test_nothing_is_lost_when_connections_are_cut_again_and_again(shaky, proxy, rabbit_queue):
    worked, parked = Collector(), Collector()  # a message in hand at three cuts is parked, for all the broker knows
    shaky.consume(rabbit_queue, worked, prefetch=4)
    shaky.consume(topology.dead(rabbit_queue), parked)
    cuts_left = 4
    next_cut_s = time.monotonic()
    confirmed: set[bytes] = set()
    while cuts_left:
        body = len(confirmed).to_bytes(2, "big") + bytes(20_000)
        shaky.publish(rabbit_queue, body)
        confirmed.add(body)
        if time.monotonic() > next_cut_s:
            proxy.cut()
            cuts_left -= 1
            next_cut_s = time.monotonic() + 0.4
    eventually(lambda: confirmed <= {*worked.bodies, *parked.bodies})


def test_a_fault_of_ours_on_a_connection_leaves_no_socket_behind_and_the_link_goes_on(rabbitmq_url):
    opened, told = threading.Semaphore(0), []

    def fault():
        raise ZeroDivisionError("a fault of ours")

    link = Link("test", settings(rabbitmq_url), lambda channel: opened.release(), told.append)
    link.start()
    try:
        assert opened.acquire(timeout=15)
        first = link._connection
        link.call(fault)
        assert opened.acquire(timeout=15)
        assert told == ["internal error"]
        assert first.is_closed
    finally:
        link.close()
