"""One request's job between the engine and the front-end's generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .frontend import FrontEnd, Job, Outputs, RequestTensors
from .generation import GenerationRequest, GenerationResult
from .generations import Generation


class Ticket(Protocol):
    """One request of Triton's: what came, and where the answer goes. Exactly one of succeed, fail, drop is called.

    Only `emit` may raise: the others are called where nobody could answer for it.
    """

    inputs: RequestTensors

    def is_cancelled(self) -> bool:
        """Tell whether the caller has gone."""

    def emit(self, outputs: Outputs) -> None:
        """Send a partial response."""

    def succeed(self, outputs: Outputs) -> None:
        """Send the last response."""

    def fail(self, error: Exception) -> None:
        """Send the error."""

    def drop(self) -> None:
        """End without an answer: the caller has gone."""


@dataclass(eq=False)
class RunningJob:
    """A generator that waits for the results of what it asked last."""

    ticket: Ticket
    front_end: FrontEnd
    generations: list[Generation] = field(default_factory=list)
    """What it asked last."""
    _results: list[GenerationResult | None] = field(default_factory=list)
    _error: Exception | None = None
    _job: Job | None = None

    @property
    def ready(self) -> bool:
        """Tell whether the generator can go on: everything it asked for is there, or something failed."""
        return self._error is not None or all(result is not None for result in self._results)

    def ask(self) -> Sequence[GenerationRequest] | None:
        """Let the generator run; returns what it wants next, None once it has answered (the ticket is settled then)."""
        try:
            requests = self._resume()
            while not requests:
                assert self._job is not None
                requests = self._job.send([])
        except StopIteration as stop:
            self.ticket.succeed(stop.value)
            return None
        except Exception as error:  # refused, or a fault of the front-end's: this request alone
            self.ticket.fail(error)
            return None
        self._results = [None] * len(requests)
        self.generations = []
        return requests

    def listener(self, index: int) -> Callable[[GenerationResult | Exception], None]:
        """Return what the `index`-th generation is to call when it is done."""

        def done(result: GenerationResult | Exception) -> None:
            if isinstance(result, Exception):
                self.break_off(result)
            else:
                self._results[index] = result

        return done

    def break_off(self, error: Exception) -> None:
        """Give up what was asked last; `error` will be raised at the yield."""
        self._error = self._error or error
        for generation in self.generations:
            generation.cancelled = True

    def cancel(self) -> None:
        """The caller has gone: close the generator and forget its generations."""
        for generation in self.generations:
            generation.cancelled = True
        self.ticket.drop()
        if self._job is not None:
            self._job.close()

    def _resume(self) -> Sequence[GenerationRequest]:
        if self._job is None:
            self._job = self.front_end.job(self.ticket.inputs, self.ticket.emit)
            return next(self._job)
        if self._error is not None:
            error, self._error = self._error, None
            return self._job.throw(error)
        return self._job.send([result for result in self._results if result is not None])
