"""Watches every call of Triton: a metric and a span for each."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.telemetry.metrics import counted_call
from orchestrator.telemetry.spans import span


class WatchedCalls:
    """Fills client/observer.py."""

    @contextmanager
    def call(self, model: str, version: str, traceparent: str) -> Iterator[str]:
        """Watch one call; yields the traceparent to send along, by which Triton's own spans become its children."""
        named = {"polylip.model": model, "polylip.version": version or "serving", "rpc.system": "grpc"}
        with counted_call(model), span(f"triton {model}", traceparent, "client", named) as begun:
            # A call that belongs to nobody's trace begins none at the server.
            yield begun.traceparent if traceparent else ""
