"""What only the in-process broker can be asked: its clock stands still until the test moves it."""

import pytest

from orchestrator.queues import topology
from orchestrator.queues.broker import QueueSpec
from orchestrator.queues.memory import MemoryBroker
from orchestrator.settings import BrokerSettings
from tests.fakes.broker import Collector, ManualTimers
from tests.waiting import eventually


@pytest.fixture
def timers():
    return ManualTimers()


@pytest.fixture
def broker(timers):
    broker = MemoryBroker(BrokerSettings(attempts=4, retry_delay_s=1.0, retry_factor=4.0), timers)
    broker.declare(QueueSpec("work"))
    yield broker
    broker.close()


def test_retries_wait_one_then_four_then_sixteen_seconds(broker, timers):
    collector = Collector(lambda delivery: delivery.retry_later("again"))
    broker.consume("work", collector)
    broker.publish("work", b"")
    for tries, delay_s in enumerate((1.0, 4.0, 16.0), start=1):
        collector.wait_for(tries)
        eventually(lambda: timers.pending == 1)
        timers.advance(delay_s - 0.01)
        assert timers.pending == 1
        timers.advance(0.01)
    collector.wait_for(4)
    eventually(lambda: broker.depth(topology.dead("work")) == 1)
    assert timers.pending == 0


def test_queue_time_of_a_retry_does_not_count_the_delay(broker, timers):
    collector = Collector(lambda delivery: delivery.retry_later("again") if delivery.attempt == 1 else delivery.ack())
    broker.consume("work", collector)
    broker.publish("work", b"")
    collector.wait_for(1)
    eventually(lambda: timers.pending == 1)
    timers.advance(1.0)
    first, second = collector.wait_for(2)
    assert second.published_at_ms - first.published_at_ms >= 1000


def test_a_message_handed_back_goes_to_the_front(broker):
    holder = Collector(settle=None)
    subscription = broker.consume("work", holder, prefetch=1)
    broker.publish("work", b"first")
    holder.wait_for(1)
    broker.publish("work", b"second")
    subscription.close()
    collector = Collector()
    broker.consume("work", collector)
    collector.wait_for(2)
    assert collector.bodies == [b"first", b"second"]
