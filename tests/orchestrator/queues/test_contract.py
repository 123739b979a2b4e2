"""The promises of orchestrator/queues/broker.py, kept by both brokers."""

import threading
import time

import pytest

from orchestrator.clock import now_ms
from orchestrator.errors import BrokerUnavailable, QueueFull, Unroutable
from orchestrator.queues import topology
from orchestrator.queues.broker import ATTEMPT_HEADER, REASON_HEADER, QueueSpec
from tests.fakes.broker import Collector
from tests.waiting import eventually


def test_a_message_arrives_as_it_was_published(work_queue):
    broker, queue = work_queue
    before_ms = now_ms()
    broker.publish(queue, b"\x00\xffbody", {"traceparent": "00-abc"})
    collector = Collector()
    broker.consume(queue, collector)
    (delivery,) = collector.wait_for(1)
    assert (delivery.queue, delivery.body, delivery.attempt) == (queue, b"\x00\xffbody", 1)
    assert delivery.headers["traceparent"] == "00-abc"
    assert before_ms <= delivery.published_at_ms <= now_ms()


def test_one_consumer_gets_the_messages_in_their_order(work_queue):
    broker, queue = work_queue
    sent = [bytes([n]) for n in range(20)]
    for body in sent:
        broker.publish(queue, body)
    collector = Collector()
    broker.consume(queue, collector)
    collector.wait_for(20)
    assert collector.bodies == sent


def test_a_declared_queue_may_be_declared_again_and_keeps_its_messages(work_queue):
    broker, queue = work_queue
    broker.publish(queue, b"kept")
    broker.declare(QueueSpec(queue))
    eventually(lambda: broker.depth(queue) == 1)


def test_an_unknown_queue_is_unroutable_for_every_call(make_broker, queue_name):
    broker = make_broker()
    with pytest.raises(Unroutable):
        broker.publish(queue_name, b"lost?")
    with pytest.raises(Unroutable):
        broker.consume(queue_name, Collector())
    with pytest.raises(Unroutable):
        broker.depth(queue_name)


def test_a_full_queue_refuses_and_takes_more_once_it_was_read(work_queue):
    broker, queue = work_queue
    accepted = 0
    with pytest.raises(QueueFull):
        for _ in range(60):  # 6 MB for a limit of 1 MiB: a quorum queue takes some more than its limit
            broker.publish(queue, bytes(100_000))
            accepted += 1
    assert accepted >= 10
    collector = Collector()
    broker.consume(queue, collector)
    collector.wait_for(accepted)

    def publishes_again():
        try:
            broker.publish(queue, b"again")
        except QueueFull:
            return False
        return True

    eventually(publishes_again)
    assert [d.body for d in collector.wait_for(accepted + 1)].count(bytes(100_000)) == accepted


def test_retries_are_counted_and_spaced_out_and_then_parked_with_the_reason(work_queue):
    broker, queue = work_queue
    arrivals_s: list[float] = []
    more_to_come: list[bool] = []

    def fail(delivery):
        arrivals_s.append(time.monotonic())
        more_to_come.append(delivery.retry_later(f"failure {delivery.attempt}"))

    collector = Collector(fail)
    broker.consume(queue, collector)
    broker.publish(queue, b"hard", {"traceparent": "00-abc"})
    deliveries = collector.wait_for(3)
    dead = Collector()
    broker.consume(topology.dead(queue), dead)
    (parked,) = dead.wait_for(1)
    assert [d.attempt for d in deliveries] == [1, 2, 3]
    assert more_to_come == [True, True, False]
    assert arrivals_s[1] - arrivals_s[0] >= 0.049  # the broker's own timer has whole milliseconds
    assert arrivals_s[2] - arrivals_s[1] >= 0.099
    assert deliveries[2].published_at_ms > deliveries[1].published_at_ms > deliveries[0].published_at_ms
    assert (parked.body, parked.headers[REASON_HEADER]) == (b"hard", "failure 3")
    assert parked.headers["traceparent"] == "00-abc"
    assert len(collector.deliveries) == 3


def test_a_retry_does_not_hold_up_the_messages_behind_it(make_broker, queue_name):
    broker = make_broker(retry_delay_s=0.3)
    broker.declare(QueueSpec(queue_name))
    collector = Collector(lambda d: d.retry_later("once") if d.body == b"slow" and d.attempt == 1 else d.ack())
    broker.publish(queue_name, b"slow")
    for _ in range(3):
        broker.publish(queue_name, b"quick")
    broker.consume(queue_name, collector)
    collector.wait_for(5)
    assert collector.bodies == [b"slow", b"quick", b"quick", b"quick", b"slow"]


def test_a_dead_letter_keeps_body_headers_and_reason(work_queue):
    broker, queue = work_queue
    broker.consume(queue, Collector(lambda d: d.dead_letter("not ours " + "x" * 5000)))
    broker.publish(queue, b"strange", {"traceparent": "00-abc"})
    dead = Collector()
    broker.consume(topology.dead(queue), dead)
    (parked,) = dead.wait_for(1)
    assert parked.body == b"strange"
    assert parked.headers["traceparent"] == "00-abc"
    assert parked.headers[REASON_HEADER].startswith("not ours")
    assert len(parked.headers[REASON_HEADER]) <= 2000


def test_a_handler_that_raises_parks_its_message_and_goes_on_with_the_next(work_queue):
    broker, queue = work_queue
    told: list[tuple[bytes, str]] = []

    def handle(delivery):
        if delivery.body == b"bad":
            raise ZeroDivisionError("a fault of ours")
        delivery.ack()

    collector = Collector(handle)
    broker.consume(queue, collector, on_poison=lambda delivery, reason: told.append((delivery.body, reason)))
    broker.publish(queue, b"bad")
    broker.publish(queue, b"good")
    collector.wait_for(2)
    dead = Collector()
    broker.consume(topology.dead(queue), dead)
    (parked,) = dead.wait_for(1)
    assert parked.headers[REASON_HEADER] == "ZeroDivisionError: a fault of ours"
    assert told == [(b"bad", "ZeroDivisionError: a fault of ours")]


def test_a_handler_that_raises_after_settling_changes_nothing(work_queue):
    broker, queue = work_queue

    def handle(delivery):
        delivery.ack()
        raise RuntimeError("too late")

    collector = Collector(handle)
    broker.consume(queue, collector)
    for _ in range(2):
        broker.publish(queue, b"done")
    collector.wait_for(2)
    eventually(lambda: broker.depth(queue) == 0)
    assert broker.depth(topology.dead(queue)) == 0


def test_no_more_messages_are_held_than_prefetch_says(work_queue):
    broker, queue = work_queue
    for n in range(6):
        broker.publish(queue, bytes([n]))
    collector = Collector(settle=None)
    broker.consume(queue, collector, prefetch=2)
    for done in range(6):
        deliveries = collector.wait_for(min(done + 2, 6))
        assert len(deliveries) - done <= 2
        deliveries[done].ack()  # from a thread that is not the handler's
    assert collector.bodies == [bytes([n]) for n in range(6)]


def test_concurrency_runs_that_many_handlers_at_once(work_queue):
    broker, queue = work_queue
    meeting = threading.Barrier(3, timeout=15)

    def handle(delivery):
        meeting.wait()
        delivery.ack()

    collector = Collector(handle)
    broker.consume(queue, collector, concurrency=3)
    for n in range(3):
        broker.publish(queue, bytes([n]))
    eventually(lambda: broker.depth(queue) == 0)
    collector.wait_for(3)
    assert not meeting.broken


def test_two_consumers_share_the_work(work_queue):
    broker, queue = work_queue
    meeting = threading.Barrier(2, timeout=15)

    def handle(delivery):
        meeting.wait()
        delivery.ack()

    first, second = Collector(handle), Collector(handle)
    broker.consume(queue, first, prefetch=1)
    broker.consume(queue, second, prefetch=1)
    for n in range(2):
        broker.publish(queue, bytes([n]))
    first.wait_for(1)
    second.wait_for(1)
    assert sorted(first.bodies + second.bodies) == [b"\x00", b"\x01"]


def test_an_unsettled_message_goes_to_the_next_consumer_and_the_try_counts(work_queue):
    broker, queue = work_queue
    forgetful = Collector(settle=None)
    subscription = broker.consume(queue, forgetful)
    broker.publish(queue, b"held")
    (held,) = forgetful.wait_for(1)
    subscription.close()
    careful = Collector()
    broker.consume(queue, careful)
    (again,) = careful.wait_for(1)
    assert (again.body, again.attempt) == (b"held", 2)
    held.ack()  # too late: harmless
    eventually(lambda: broker.depth(queue) == 0)
    assert len(careful.deliveries) == 1


def test_a_message_whose_consumers_always_die_is_parked_after_the_last_try(make_broker, queue_name):
    broker = make_broker(attempts=2)
    broker.declare(QueueSpec(queue_name))
    broker.publish(queue_name, b"poison")
    for attempt in (1, 2):
        collector = Collector(settle=None)
        subscription = broker.consume(queue_name, collector)
        (delivery,) = collector.wait_for(1)
        assert delivery.attempt == attempt
        subscription.close()
    told: list[str] = []
    unlucky = Collector()
    broker.consume(queue_name, unlucky, on_poison=lambda _delivery, reason: told.append(reason))
    dead = Collector()
    broker.consume(topology.dead(queue_name), dead)
    (parked,) = dead.wait_for(1)
    assert "died at each of 2 tries" in parked.headers[REASON_HEADER]
    assert told == [parked.headers[REASON_HEADER]]
    assert unlucky.deliveries == []


def test_close_lets_the_handler_finish_and_settle(work_queue):
    broker, queue = work_queue
    begun, finish = threading.Event(), threading.Event()

    def handle(delivery):
        begun.set()
        assert finish.wait(15)
        delivery.ack()

    subscription = broker.consume(queue, handle)
    broker.publish(queue, b"in the works")
    assert begun.wait(15)
    closing = threading.Thread(target=subscription.close)
    closing.start()
    finish.set()
    closing.join()
    collector = Collector()
    broker.consume(queue, collector)
    broker.publish(queue, b"marker")
    collector.wait_for(1)
    assert collector.bodies == [b"marker"]


def test_close_gives_back_what_was_not_begun_without_counting_it(work_queue):
    broker, queue = work_queue
    begun, finish = threading.Event(), threading.Event()

    def handle(delivery):
        begun.set()
        assert finish.wait(15)
        delivery.ack()

    for body in (b"first", b"second", b"third"):
        broker.publish(queue, body)
    subscription = broker.consume(queue, handle, prefetch=3)
    assert begun.wait(15)
    closing = threading.Thread(target=subscription.close)
    closing.start()
    finish.set()
    closing.join()
    collector = Collector()
    broker.consume(queue, collector)
    deliveries = collector.wait_for(2)
    assert sorted((d.body, d.attempt) for d in deliveries) == [(b"second", 1), (b"third", 1)]


def test_settling_twice_is_a_fault_that_shows(work_queue):
    broker, queue = work_queue
    collector = Collector()
    broker.consume(queue, collector)
    broker.publish(queue, b"once")
    (delivery,) = collector.wait_for(1)
    eventually(lambda: delivery.settled)
    with pytest.raises(RuntimeError, match="twice"):
        delivery.dead_letter("and again")


def test_a_message_published_anew_starts_with_its_first_try(work_queue):
    broker, queue = work_queue
    broker.publish(queue, b"copy", {ATTEMPT_HEADER: "3", REASON_HEADER: "old"})
    collector = Collector()
    broker.consume(queue, collector)
    (delivery,) = collector.wait_for(1)
    assert delivery.attempt == 1
    assert REASON_HEADER not in delivery.headers


def test_a_reply_queue_retries_at_once_and_drops_its_dead(make_broker, queue_name):
    broker = make_broker(attempts=3)
    broker.declare(QueueSpec(queue_name, durable_work=False))
    collector = Collector(lambda d: d.retry_later("no") if d.body == b"bad" else d.ack())
    broker.consume(queue_name, collector)
    broker.publish(queue_name, b"bad")
    collector.wait_for(3)
    broker.publish(queue_name, b"good")
    deliveries = collector.wait_for(4)
    assert [d.attempt for d in deliveries] == [1, 2, 3, 1]
    with pytest.raises(Unroutable):
        broker.depth(topology.dead(queue_name))


def test_many_threads_publish_at_once_and_nothing_is_lost(work_queue):
    broker, queue = work_queue
    collector = Collector()
    broker.consume(queue, collector, prefetch=50)

    def publish(thread: int) -> None:
        for n in range(25):
            broker.publish(queue, bytes([thread, n]))

    threads = [threading.Thread(target=publish, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    collector.wait_for(200)
    assert len(set(collector.bodies)) == 200


def test_a_closed_broker_says_so(make_broker, queue_name):
    broker = make_broker()
    broker.declare(QueueSpec(queue_name))
    broker.check()
    subscription = broker.consume(queue_name, Collector())
    broker.close()
    subscription.close()  # once more: harmless
    with pytest.raises(BrokerUnavailable):
        broker.publish(queue_name, b"too late")


def test_a_look_at_the_dead_letters_that_fails_loses_none(work_queue):
    broker, queue = work_queue
    broker.consume(queue, Collector(lambda d: d.dead_letter("bad")))
    broker.publish(queue, b"evidence")
    clumsy = Collector(lambda d: 1 / 0)
    subscription = broker.consume(topology.dead(queue), clumsy)
    clumsy.wait_for(1)
    subscription.close()
    careful = Collector()
    broker.consume(topology.dead(queue), careful)
    careful.wait_for(1)
    assert careful.bodies == [b"evidence"]
