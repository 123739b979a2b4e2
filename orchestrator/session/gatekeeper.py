"""Runs the sentence gate of one session in a thread of its own: scoring and publishing never hold up replies."""

import queue
from collections.abc import Callable
from functools import partial

from orchestrator.logs import thread_with_ids
from orchestrator.segmentation.sentences import Decided, SentenceGate

_SETTLE_STEP_MS = 100
"""The gate hears of silence in steps of this: it need not wake up for every block of sound."""

_Event = Callable[[], list[Decided]]


class Gatekeeper:
    """Hands a gate what was cut and heard, in the order in which it was told, and what it decides to `on_decided`."""

    def __init__(
        self,
        gate: SentenceGate,
        *,
        prepare: Callable[[], None],
        on_decided: Callable[[Decided], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """All three are called on the gate's thread, `prepare` once, first; after an error nothing more is decided."""
        self._gate = gate
        self._prepare = prepare
        self._on_decided = on_decided
        self._on_error = on_error
        self._inbox: queue.SimpleQueue[_Event | None] = queue.SimpleQueue()
        self._thread = thread_with_ids(self._run, "sentence-gate")
        self._settled_ms = 0
        self._starving = False

    @property
    def starving(self) -> bool:
        """The open sentence needs the next chunk: whoever cuts must go on, however much sound is held."""
        return self._starving and self._inbox.empty()

    def start(self) -> None:
        """Begin to decide."""
        self._thread.start()

    def close(self) -> None:
        """End the thread after the event at hand; what is still undecided stays so."""
        self._inbox.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def cut(self, number: int, start_ms: int, end_ms: int) -> None:
        """A chunk was cut; to be told before its transcript can come, and in the order of speech."""
        self._inbox.put(partial(self._gate.cut, number, start_ms, end_ms))

    def hear(self, number: int, text: str, language: str) -> None:
        """A chunk was transcribed; `text` "": no speech."""
        self._inbox.put(partial(self._gate.hear, number, text, language))

    def settle(self, until_ms: int) -> None:
        """Every chunk that starts before `until_ms` was cut. One thread's, which also calls `end`."""
        if until_ms >= self._settled_ms + _SETTLE_STEP_MS:
            self._settled_ms = until_ms
            self._inbox.put(partial(self._gate.settle, until_ms))

    def end(self, until_ms: int) -> None:
        """No chunk follows; the sound ends at `until_ms`."""
        self._inbox.put(partial(self._gate.end, until_ms))

    def _run(self) -> None:
        try:
            self._prepare()
            while (event := self._inbox.get()) is not None:
                for decided in event():
                    self._on_decided(decided)
                self._starving = self._gate.starving
        except Exception as error:  # whatever it is, the session must hear of it
            self._on_error(error)
