"""Stands in for Triton at the border of the `generate` backend's engine: requests go in, answers are waited for."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from generate.engine import Engine
from generate.frontend import Outputs, RequestTensors
from numpy.typing import NDArray

WAIT_S = 30.0


class FakeTicket:
    """One request; see generate.running_job.Ticket."""

    def __init__(
        self, inputs: Mapping[str, NDArray[Any]], on_emit: Callable[["FakeTicket"], None] | None = None
    ) -> None:
        self.inputs = RequestTensors(inputs)
        self.parts: list[Outputs] = []
        self.outputs: Outputs | None = None
        self.error: Exception | None = None
        self.dropped = False
        self.cancelled = False
        self.settled = 0
        self._on_emit = on_emit
        self._done = threading.Event()

    def is_cancelled(self) -> bool:
        return self.cancelled

    def emit(self, outputs: Outputs) -> None:
        self.parts.append(outputs)
        if self._on_emit:
            self._on_emit(self)

    def succeed(self, outputs: Outputs) -> None:
        self.outputs = outputs
        self._settle()

    def fail(self, error: Exception) -> None:
        self.error = error
        self._settle()

    def drop(self) -> None:
        self.dropped = True
        self._settle()

    def wait(self) -> Outputs:
        """The outputs; what the engine raised is raised here."""
        assert self._done.wait(WAIT_S), "never answered"
        if self.error is not None:
            raise self.error
        assert self.outputs is not None, "dropped"
        return self.outputs

    def wait_dropped(self) -> None:
        assert self._done.wait(WAIT_S), "never answered"
        assert self.dropped

    def _settle(self) -> None:
        self.settled += 1
        self._done.set()


def tokens_ticket(
    source: Any = None, on_emit: Callable[[FakeTicket], None] | None = None, tokens: Any = None, **options: Any
) -> FakeTicket:
    """A request of the family `tokens`."""
    inputs: dict[str, NDArray[Any]] = {"OPTIONS": np.array([json.dumps(options).encode()], np.object_)}
    if tokens is not None:
        inputs["TOKENS"] = np.array(tokens, np.int64)
    if source is not None:
        array = np.asarray(source)
        inputs["MEL" if array.ndim == 2 else "SOURCE"] = array
    return FakeTicket(inputs, on_emit)


def ask(engine: Engine, source: Any = None, **options: Any) -> list[int]:
    """Submit one request and wait for its tokens."""
    ticket = tokens_ticket(source, **options)
    engine.submit(ticket)
    return np.asarray(ticket.wait()["TOKENS"]).tolist()
