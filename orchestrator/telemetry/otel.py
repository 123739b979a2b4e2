"""Spans by the OpenTelemetry SDK, to a collector (OTLP over HTTP) or to a file."""

import os
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from orchestrator.settings import TelemetrySettings
from orchestrator.telemetry.spans import Attributes, Kind
from orchestrator.tracing import TraceContext, parse_traceparent

_NS_PER_MS = 1_000_000


def new_recorder(settings: TelemetrySettings, service: str) -> "OtelRecorder":
    """Make the recorder that the settings ask for; `traces` must not be off."""
    processor: SpanProcessor
    if settings.traces == "file":
        processor = SimpleSpanProcessor(FileExporter(settings.trace_dir, service))
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        processor = BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_url))
    return OtelRecorder(processor, service, settings.trace_ratio)


class FileExporter(SpanExporter):
    """Appends one JSON object a line, in OpenTelemetry's own words, to a file of this process.

    Each span is on disk when its end returns: what was recorded before a kill is not lost.
    """

    def __init__(self, folder: Path, service: str) -> None:
        """`folder` is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{service}-{os.getpid()}.jsonl").open("a", encoding="utf-8")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the spans."""
        for each in spans:
            self._file.write(each.to_json(indent=None) + "\n")
        self._file.flush()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        self._file.close()


class OtelRecorder:
    """Fills spans.Recorder. A trace that begins here is kept with `ratio`, one of others if they kept it."""

    def __init__(self, processor: SpanProcessor, service: str, ratio: float = 1.0) -> None:
        """`processor` is shut down by `close`."""
        resource = Resource.create({"service.name": f"polylip-{service}", "service.version": version("polylip")})
        sampler = ParentBased(TraceIdRatioBased(ratio))
        self._provider = TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("polylip")

    def begin(self, name: str, parent: str, kind: Kind, attributes: Attributes, begin_ms: int | None) -> "OtelSpan":
        """Begin a span. A wait whose begin another machine's clock put into the future begins now."""
        now_ns = time.time_ns()
        begin_ns = now_ns if begin_ms is None else min(now_ns, begin_ms * _NS_PER_MS)
        return OtelSpan(
            self._tracer.start_span(
                name, _context_of(parent), SpanKind[kind.upper()], dict(attributes), start_time=begin_ns
            )
        )

    def close(self) -> None:
        """Hand over what is left."""
        self._provider.shutdown()


class OtelSpan:
    """Fills spans.Span."""

    def __init__(self, span: trace.Span) -> None:
        """Wrap a span that has begun."""
        self._span = span
        context = span.get_span_context()
        self.traceparent = str(
            TraceContext(f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{context.trace_flags:02x}")
        )

    def rename(self, name: str) -> None:
        """Name it anew."""
        if self._span.is_recording():
            self._span.update_name(name)

    def note(self, **attributes: str | int | float | bool) -> None:
        """Add attributes."""
        if self._span.is_recording():
            self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        """Mark it as failed."""
        if self._span.is_recording():
            self._span.set_status(Status(StatusCode.ERROR, reason))

    def end(self) -> None:
        """End it now; what comes after is not recorded."""
        if self._span.is_recording():
            self._span.end()


def _context_of(traceparent: str) -> Context:
    known = parse_traceparent(traceparent)
    if known is None:
        return Context()
    parent = SpanContext(
        int(known.trace_id, 16), int(known.span_id, 16), is_remote=True, trace_flags=TraceFlags(int(known.flags, 16))
    )
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())
