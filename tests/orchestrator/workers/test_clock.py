import time

from client.contracts import Task
from orchestrator.clock import now_ms
from orchestrator.workers.clock import StageClock


def test_time_spent_paused_is_not_compute_time(monkeypatch):
    now_s = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    clock = StageClock(Task.TTS, now_ms() - 500, attempt=1)
    now_s += 2
    with clock.paused():
        now_s += 40
    now_s += 1
    timing = clock.timing()
    assert timing.compute_ms == 3000
    assert timing.queued_ms >= 500
