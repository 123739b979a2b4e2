"""Spans: pieces of work of one trace. While tracing is off, OpenTelemetry's SDK is not loaded.

The parent is always told by its traceparent, which is what messages and engine calls carry; there is no hidden current
span, so work may move between threads and processes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, Protocol

from client.errors import PolylipError
from orchestrator.settings import TelemetrySettings
from orchestrator.tracing import child_traceparent

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int | float | bool]


class Span(Protocol):
    """One piece of work."""

    @property
    def traceparent(self) -> str:
        """To be handed to what is done for it."""
        ...

    def rename(self, name: str) -> None:
        """Name it anew, once more is known."""
        ...

    def note(self, **attributes: str | int | float | bool) -> None:
        """Add attributes."""
        ...

    def fail(self, reason: str) -> None:
        """Mark it as failed."""
        ...

    def end(self) -> None:
        """End it now."""
        ...


class Recorder(Protocol):
    """Where spans go."""

    def begin(self, name: str, parent: str, kind: Kind, attributes: Attributes, begin_ms: int | None) -> Span:
        """Begin a span now, or at the Unix time `begin_ms`; `parent` "" begins a trace."""
        ...

    def close(self) -> None:
        """Hand over what is left."""
        ...


class _Unrecorded:
    """Carries ids on, so that a trace is whole once the other processes record theirs."""

    def __init__(self, parent: str) -> None:
        self.traceparent = child_traceparent(parent)

    def rename(self, name: str) -> None:
        pass

    def note(self, **attributes: str | int | float | bool) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass

    def end(self) -> None:
        pass


_recorder: Recorder | None = None


@contextmanager
def tracing(settings: TelemetrySettings, service: str) -> Iterator[None]:
    """Record the spans of this process, as service `polylip-<service>`, while the block runs."""
    if settings.traces == "off":
        yield
        return
    from orchestrator.telemetry.otel import new_recorder  # here, for its libraries cost a process that is not traced

    with recording(new_recorder(settings, service)):
        yield


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Send this process's spans to `recorder` while the block runs, then close it."""
    global _recorder
    before, _recorder = _recorder, recorder
    try:
        yield
    finally:
        _recorder = before
        recorder.close()


@contextmanager
def span(name: str, parent: str = "", kind: Kind = "internal", attributes: Attributes | None = None) -> Iterator[Span]:
    """Make a span of the block; an exception that leaves it marks it as failed."""
    if _recorder is None:
        yield _Unrecorded(parent)
        return
    begun = _recorder.begin(name, parent, kind, attributes or {}, None)
    try:
        yield begun
    except GeneratorExit:
        begun.note(cancelled=True)
        raise
    except BaseException as error:
        code = error.code if isinstance(error, PolylipError) else type(error).__name__
        begun.fail(f"{code}: {error}")
        raise
    finally:
        begun.end()


def record_since(
    name: str, parent: str, begin_ms: int, kind: Kind = "internal", attributes: Attributes | None = None
) -> None:
    """Record a span that began at the Unix time `begin_ms` and ends now."""
    if _recorder is not None:
        _recorder.begin(name, parent, kind, attributes or {}, begin_ms).end()
