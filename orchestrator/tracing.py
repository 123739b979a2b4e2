"""W3C Trace Context (https://www.w3.org/TR/trace-context/): one header ties the calls of one dub together.

Pure functions over the `traceparent` text, version 00: `00-<32 hex trace id>-<16 hex span id>-<2 hex flags>`.
"""

import re
import secrets
from dataclasses import dataclass

_FORMAT = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})")
_SAMPLED = "01"


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One traceparent, taken apart; all fields are lower-case hex."""

    trace_id: str
    """32 digits, the same for everything that belongs to one dub."""
    span_id: str
    """16 digits, the piece of work that made the call."""
    flags: str = _SAMPLED
    """2 digits; bit 0 = sampled."""

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def parse_traceparent(text: str) -> TraceContext | None:
    """Take a traceparent apart; None when it is not one (the specification forbids ids of zeros only)."""
    match = _FORMAT.fullmatch(text)
    if match is None or not int(match["trace"], 16) or not int(match["span"], 16):
        return None
    return TraceContext(match["trace"], match["span"], match["flags"])


def new_traceparent() -> str:
    """Begin a trace."""
    return str(TraceContext(_random_hex(16), _random_hex(8)))


def child_traceparent(parent: str) -> str:
    """Return the traceparent of work done for `parent`: same trace, new span; a new trace when `parent` is none."""
    context = parse_traceparent(parent)
    if context is None:
        return new_traceparent()
    return str(TraceContext(context.trace_id, _random_hex(8), context.flags))


def trace_id_of(traceparent: str) -> str:
    """Return the trace's id; "" when `traceparent` is none."""
    context = parse_traceparent(traceparent)
    return context.trace_id if context is not None else ""


def _random_hex(size_bytes: int) -> str:
    while not int(text := secrets.token_hex(size_bytes), 16):
        pass  # zeros only is the one forbidden id
    return text
