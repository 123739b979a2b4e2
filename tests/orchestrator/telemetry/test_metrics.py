import contextlib
import socket
import urllib.error
import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from client.errors import EngineUnavailable
from orchestrator.errors import BrokerError, BrokerUnavailable, MetricsPortTaken, QueueFull, Unroutable
from orchestrator.messages import encode
from orchestrator.queues import topology
from orchestrator.queues.broker import QueueSpec
from orchestrator.queues.memory import MemoryBroker
from orchestrator.settings import BrokerSettings, TelemetrySettings
from orchestrator.telemetry import metrics
from orchestrator.telemetry.calls import WatchedCalls
from orchestrator.telemetry.endpoint import metrics_endpoint
from orchestrator.workers.base import StageWorker
from orchestrator.workers.stt import SttStage
from tests.fakes.engines import FakeStt
from tests.fakes.pipeline import FakeEngines
from tests.fakes.records import TRANSCRIPTS, speech_chunk
from tests.waiting import eventually

FAMILIES = {"audio_queue", "text_queue", "translation_queue", "jobs", "transcripts", "audio_output_queue", "other"}


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@given(st.text())
def test_no_queue_and_no_reason_makes_a_label_of_its_own(text):
    assert metrics.queue_family(text) in FAMILIES
    assert metrics.reason_label(text) == "other" or text.startswith(metrics.reason_label(text))


def test_an_owners_queues_are_one_family():
    assert metrics.queue_family(topology.transcripts("a1b2")) == "transcripts"
    assert metrics.queue_family(topology.dead(topology.JOBS)) == "jobs"


def test_a_reason_is_counted_by_the_code_that_it_begins_with():
    assert metrics.reason_label("engine-unavailable: stt: away") == "engine-unavailable"
    assert metrics.reason_label("RuntimeError: broken") == "other"


@pytest.mark.parametrize(
    ("error", "result"),
    [(None, "ok"), (QueueFull("q"), "nack"), (Unroutable("q"), "unroutable"), (BrokerUnavailable("q"), "timeout")],
)
def test_each_verdict_of_the_broker_is_counted(error, result):
    before = value("polylip_publish_total", queue="jobs", result=result)
    with contextlib.suppress(BrokerError), metrics.counted_publish("jobs"):
        if error is not None:
            raise error
    assert value("polylip_publish_total", queue="jobs", result=result) == before + 1


def test_a_call_is_counted_by_its_outcome_and_a_stream_that_is_closed_early_as_cancelled():
    def stream():
        with WatchedCalls().call("m", "", ""):
            yield 1
            yield 2

    items = stream()
    next(items)
    items.close()
    with pytest.raises(EngineUnavailable), WatchedCalls().call("m", "", ""):
        raise EngineUnavailable("m", "away")
    assert value("polylip_engine_calls_total", model="m", outcome="cancelled") == 1
    assert value("polylip_engine_calls_total", model="m", outcome="engine-unavailable") == 1
    assert value("polylip_engine_call_duration_seconds_count", model="m") == 2


def test_a_call_that_belongs_to_no_trace_begins_none_at_the_server():
    with WatchedCalls().call("m", "", "") as sent:
        assert sent == ""


def test_the_endpoint_answers_while_it_is_open_and_only_then():
    settings = TelemetrySettings(metrics_port=free_port())
    url = f"http://127.0.0.1:{settings.metrics_port}/metrics"
    with metrics_endpoint(settings):
        text = urllib.request.urlopen(url, timeout=5).read().decode()
        families = {family.name for family in text_string_to_metric_families(text)}
        assert {"polylip_stage_items", "polylip_dub_rtf_ratio", "process_resident_memory_bytes"} <= families
        with pytest.raises(MetricsPortTaken, match=str(settings.metrics_port)), metrics_endpoint(settings):
            pass
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)


def test_there_is_no_endpoint_unless_one_is_asked_for(monkeypatch):
    monkeypatch.setattr("orchestrator.telemetry.endpoint.start_http_server", None)
    with metrics_endpoint(TelemetrySettings()):
        pass


def test_a_stages_series_are_there_before_its_first_message():
    metrics.prime_stage("tts", topology.TRANSLATION)
    assert (
        metrics.REGISTRY.get_sample_value("polylip_stage_items_total", {"stage": "tts", "outcome": "failed"})
        is not None
    )
    assert metrics.REGISTRY.get_sample_value("polylip_stage_in_progress", {"stage": "tts"}) is not None


def test_a_fault_of_ours_counts_as_a_failure_of_its_stage():
    before = value("polylip_stage_items_total", stage="stt", outcome="failed")
    broker = MemoryBroker(BrokerSettings())
    try:
        broker.declare(QueueSpec(topology.AUDIO))
        broker.declare(QueueSpec(TRANSCRIPTS, durable_work=False))
        StageWorker(SttStage(FakeEngines(stt_engine=FakeStt(failures=[RuntimeError("broken")]))), broker).consume(1)
        broker.publish(topology.AUDIO, encode(speech_chunk()))
        eventually(lambda: broker.depth(topology.dead(topology.AUDIO)) == 1)
    finally:
        broker.close()
    assert value("polylip_stage_items_total", stage="stt", outcome="failed") == before + 1
    assert value("polylip_stage_in_progress", stage="stt") == 0
