from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from orchestrator.telemetry.otel import OtelRecorder
from orchestrator.telemetry.spans import recording


@pytest.fixture
def recorded() -> Iterator[InMemorySpanExporter]:
    """What this process records while the test runs."""
    exporter = InMemorySpanExporter()
    with recording(OtelRecorder(SimpleSpanProcessor(exporter), "test")):
        yield exporter
