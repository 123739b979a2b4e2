import itertools
import threading
import time

from orchestrator.queues.timers import ThreadTimers


def test_calls_come_in_the_order_of_their_time_and_never_early():
    timers, calls, done = ThreadTimers(), [], threading.Event()

    def call(name):
        calls.append((name, time.monotonic()))
        if len(calls) == 3:
            done.set()

    due_s = {}  # between two moments each, which are far apart only on a machine that has no time for this thread
    for name, delay_s in (("late", 0.06), ("early", 0.02), ("middle", 0.04)):
        asked_s = time.monotonic()
        timers.call_later(delay_s, lambda name=name: call(name))
        due_s[name] = (asked_s + delay_s, time.monotonic() + delay_s)
    assert done.wait(15)
    timers.close()
    assert all(at_s >= due_s[name][0] for name, at_s in calls)
    assert all(due_s[first][0] <= due_s[second][1] for (first, _), (second, _) in itertools.pairwise(calls))


def test_after_closing_nothing_is_called():
    timers, calls = ThreadTimers(), []
    timers.call_later(3600, lambda: calls.append("never"))
    timers.close()
    timers.call_later(0, lambda: calls.append("never"))
    assert calls == []
