import threading
import time

from orchestrator.queues.timers import ThreadTimers


def test_calls_come_in_the_order_of_their_time_and_never_early():
    timers, calls, done = ThreadTimers(), [], threading.Event()
    begin_s = time.monotonic()

    def call(name):
        calls.append((name, time.monotonic() - begin_s))
        if len(calls) == 3:
            done.set()

    for name, delay_s in (("late", 0.06), ("early", 0.02), ("middle", 0.04)):
        timers.call_later(delay_s, lambda name=name: call(name))
    assert done.wait(15)
    timers.close()
    assert [name for name, _ in calls] == ["early", "middle", "late"]
    assert all(at_s >= delay_s for (_, at_s), delay_s in zip(calls, (0.02, 0.04, 0.06), strict=True))


def test_after_closing_nothing_is_called():
    timers, calls = ThreadTimers(), []
    timers.call_later(3600, lambda: calls.append("never"))
    timers.close()
    timers.call_later(0, lambda: calls.append("never"))
    assert calls == []
