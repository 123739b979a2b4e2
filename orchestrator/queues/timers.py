"""Calls that happen later: one thread, one heap."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Protocol


class Timers(Protocol):
    """Something that calls back after a delay."""

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        """Call `callback` from another thread `delay_s` from now; must not block, must not raise."""
        ...

    def close(self) -> None:
        """Forget what is still to come."""
        ...


class ThreadTimers:
    """Timers on a thread of their own, started with the first call."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()  # calls due at the same moment keep their order
        self._thread: threading.Thread | None = None
        self._closed = False

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        """Call `callback` from the timer thread `delay_s` from now."""
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._heap, (time.monotonic() + delay_s, next(self._order), callback))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Forget what is still to come and join the thread."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (callback := self._next_due()) is not None:
            callback()

    def _next_due(self) -> Callable[[], None] | None:
        """Wait for the next call that is due; None once closed."""
        with self._changed:
            while not self._closed:
                wait_s = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(wait_s)
            return None
