"""Measures what one stage does with one segment."""

import contextlib
import time
from collections.abc import Iterator

from client.contracts import Task
from orchestrator.clock import now_ms
from orchestrator.messages import StageTiming


class StageClock:
    """Starts with the work; stands still while answers are published, so a slow broker is not blamed on an engine."""

    def __init__(self, task: Task, published_at_ms: int, attempt: int) -> None:
        """Start now; the message was put on its queue at `published_at_ms` (Unix time)."""
        self._task = task
        self._attempt = attempt
        self._started_at_ms = now_ms()
        # Clocks of two machines may differ: never negative.
        self._queued_ms = float(max(0, self._started_at_ms - published_at_ms))
        self._started_s = time.monotonic()
        self._paused_s = 0.0

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count what happens inside."""
        begin_s = time.monotonic()
        try:
            yield
        finally:
            self._paused_s += time.monotonic() - begin_s

    def timing(self) -> StageTiming:
        """Return what was measured so far."""
        return StageTiming(
            stage=self._task.value,
            queued_ms=self._queued_ms,
            compute_ms=(time.monotonic() - self._started_s - self._paused_s) * 1000.0,
            started_at_ms=self._started_at_ms,
            finished_at_ms=now_ms(),
            attempt=self._attempt,
        )
