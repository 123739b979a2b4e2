"""Who may look on while Triton is called."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class CallObserver(Protocol):
    """Wraps each inference; one object for all threads."""

    def call(self, model: str, version: str, traceparent: str) -> AbstractContextManager[str]:
        """Enclose one call of a version ("": the serving one); gives the traceparent that is sent with it.

        A stream that its caller closes early leaves the block with GeneratorExit.
        """
        ...


class NobodyLooks:
    """Sends the caller's traceparent as it is."""

    @contextmanager
    def call(self, model: str, version: str, traceparent: str) -> Iterator[str]:
        """Enclose one call."""
        yield traceparent
