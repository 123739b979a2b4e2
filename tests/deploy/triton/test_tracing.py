"""Triton's own spans continue the trace that a call belongs to."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.triton.embedded import EmbeddedTriton
from deploy.triton.tracing import trace_arguments
from orchestrator.engines import Engines
from orchestrator.settings import Settings, TelemetrySettings, TritonSettings
from orchestrator.tracing import new_traceparent, trace_id_of
from tests.waiting import eventually


class Collector:
    """Takes OTLP in JSON, as Triton sends it."""

    def __init__(self) -> None:
        self.spans: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for resource in body["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        collector.spans.extend(scope["spans"])
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


@pytest.mark.parametrize("traces", ["off", "file"])
def test_triton_records_nothing_unless_there_is_a_collector(traces: str) -> None:
    assert trace_arguments(TelemetrySettings(traces=traces)) == ()


@pytest.mark.triton
def test_tritons_spans_are_of_the_callers_trace(tmp_path: Path, collector: Collector) -> None:
    options = trace_arguments(TelemetrySettings(traces="otlp", otlp_url=collector.url))
    with EmbeddedTriton(["sentence_boundary"], run_dir=tmp_path, extra_args=options) as triton:
        engines = Engines(Settings(triton=TritonSettings(grpc_url=triton.grpc_url)))
        sent = new_traceparent()
        engines.boundary().complete("how are you", "en", traceparent=sent)
        eventually(lambda: any(span["name"] == "compute" for span in collector.spans), what="a span of Triton's")
        engines.close()
    assert {span["traceId"] for span in collector.spans} == {trace_id_of(sent)}
