import subprocess
import sys

import pytest

from client.errors import EngineUnavailable
from orchestrator.messages import encode
from orchestrator.queues import topology
from orchestrator.queues.broker import TRACEPARENT_HEADER, QueueSpec
from orchestrator.queues.memory import MemoryBroker
from orchestrator.settings import BrokerSettings, TelemetrySettings
from orchestrator.telemetry.listing import newest_dub, read_spans, rows_of
from orchestrator.telemetry.spans import record_since, span, tracing
from orchestrator.tracing import new_traceparent, parse_traceparent
from orchestrator.workers.base import StageWorker
from orchestrator.workers.stt import SttStage
from tests.fakes.engines import FakeStt
from tests.fakes.pipeline import FakeEngines
from tests.fakes.records import TRANSCRIPTS, speech_chunk
from tests.waiting import eventually


def test_without_tracing_ids_are_carried_on_and_the_sdk_is_not_loaded():
    code = (
        "import sys; import orchestrator.cli.main; from orchestrator.telemetry.spans import span, tracing; "
        "from orchestrator.settings import TelemetrySettings\n"
        "with tracing(TelemetrySettings(), 'test'), span('a', '00-' + 'a' * 32 + '-' + 'b' * 16 + '-01') as begun:\n"
        "    assert begun.traceparent.startswith('00-' + 'a' * 32), begun.traceparent\n"
        "    assert 'b' * 16 not in begun.traceparent\n"
        "sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_span_is_a_child_of_the_traceparent_and_the_parent_of_its_own(recorded):
    outer = new_traceparent()
    with span("work", outer) as begun:
        record_since("wait", begun.traceparent, 0)
    wait, work = recorded.get_finished_spans()
    assert f"{work.parent.span_id:016x}" == parse_traceparent(outer).span_id
    assert wait.parent.span_id == work.context.span_id
    assert wait.start_time == 0


def test_an_error_marks_its_span_with_its_code(recorded):
    with pytest.raises(EngineUnavailable), span("work"):
        raise EngineUnavailable("stt", "away")
    (failed,) = recorded.get_finished_spans()
    assert not failed.status.is_ok
    assert failed.status.description == "engine-unavailable: stt: away"


def test_what_a_client_did_not_sample_is_not_recorded_and_stays_so_downstream(recorded):
    with span("work", new_traceparent()[:-2] + "00") as begun:
        pass
    assert begun.traceparent.endswith("-00")
    assert recorded.get_finished_spans() == ()


def test_one_trace_survives_retries_and_the_dead_letter(recorded):
    broker = MemoryBroker(BrokerSettings(retry_delay_s=0.01))
    try:
        broker.declare(QueueSpec(topology.AUDIO))
        broker.declare(QueueSpec(TRANSCRIPTS, durable_work=False))
        failures = [EngineUnavailable("stt", "away") for _ in range(3)]
        StageWorker(SttStage(FakeEngines(stt_engine=FakeStt(failures=failures))), broker).consume(1)
        sent = new_traceparent()
        broker.publish(topology.AUDIO, encode(speech_chunk()), {TRACEPARENT_HEADER: sent})
        eventually(lambda: broker.depth(topology.dead(topology.AUDIO)) == 1)
        eventually(lambda: len(recorded.get_finished_spans()) >= 7)
    finally:
        broker.close()
    spans = recorded.get_finished_spans()
    assert {f"{each.context.trace_id:032x}" for each in spans} == {parse_traceparent(sent).trace_id}
    tries = [each for each in spans if each.name == "stage stt"]
    assert [each.attributes["polylip.attempt"] for each in tries] == [1, 2, 3]
    assert [each.attributes["polylip.outcome"] for each in tries] == ["retried", "retried", "failed"]
    (parked,) = [each for each in spans if each.name == "dead letter audio_queue"]
    assert parked.attributes["polylip.reason"] == "engine-unavailable: stt: away"


def test_files_hold_every_span_once_it_has_ended_and_are_listed_as_a_tree(tmp_path):
    settings = TelemetrySettings(traces="file", trace_dir=tmp_path)
    with tracing(settings, "owner"), span("session") as session:
        for _ in range(2):
            with span("encode", session.traceparent):
                pass
        spans = read_spans(tmp_path)
        assert [each.name for each in spans] == ["encode", "encode"]
    with next(tmp_path.glob("*.jsonl")).open("a") as file:
        file.write('{"name": "half')
    spans = read_spans(tmp_path)
    rows = rows_of(spans, newest_dub(spans))
    assert [(row.depth, row.name, row.service, row.count) for row in rows] == [
        (0, "session", "polylip-owner", 1),
        (1, "encode", "polylip-owner", 2),
    ]
