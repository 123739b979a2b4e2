"""Clients that call models at a steady rate while versions are swapped under them; every failure is kept."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

Call = Callable[[], str]
"""One request; returns what answered ("version 2"), raises what a caller would meet."""


@dataclass
class Seen:
    """What came of the requests of one model."""

    name: str
    answers: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def requests(self) -> int:
        """Answered or failed."""
        return len(self.latencies_s)

    def note(self, answer: str, failure: str, latency_s: float) -> None:
        """Count one request."""
        with self.lock:
            self.latencies_s.append(latency_s)
            if failure:
                self.failures.append(failure)
            else:
                self.answers[answer] = self.answers.get(answer, 0) + 1


@dataclass(frozen=True)
class Client:
    """One loop."""

    seen: Seen
    call: Call
    pause_s: float
    """From one request's start to the next one's, if it is answered by then."""


@contextmanager
def calling(clients: Sequence[Client]) -> Iterator[None]:
    """Have all clients call for the time of the block; it begins when each has had its first answer."""
    stop = threading.Event()
    called = [threading.Event() for _ in clients]

    def loop(client: Client, first: threading.Event) -> None:
        due = time.perf_counter()
        while not stop.is_set():
            begin = time.perf_counter()
            answer = failure = ""
            try:
                answer = client.call()
            except Exception as error:
                failure = f"{type(error).__name__}: {error}"
            now = time.perf_counter()
            client.seen.note(answer, failure, now - begin)
            first.set()
            due = max(due + client.pause_s, now)  # what was missed is not made up for
            stop.wait(due - now)
        first.set()

    with ThreadPoolExecutor(len(clients)) as pool:
        for client, first in zip(clients, called, strict=True):
            pool.submit(loop, client, first)
        try:
            for first in called:
                first.wait()
            yield
        finally:
            stop.set()
