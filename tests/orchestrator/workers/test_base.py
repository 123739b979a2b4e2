"""The settle policy, on the STT stage (the others differ in their answers only)."""

import pytest

from client.errors import EngineRefused, EngineUnavailable
from orchestrator.errors import BrokerUnavailable, QueueFull, Unroutable
from orchestrator.messages import SegmentFailed, Transcript
from orchestrator.queues import topology
from orchestrator.queues.broker import TRACEPARENT_HEADER
from orchestrator.tracing import new_traceparent, parse_traceparent
from orchestrator.workers import base
from orchestrator.workers.base import StageWorker
from orchestrator.workers.mt import MtStage
from orchestrator.workers.stt import SttStage
from tests.fakes.broker import FakeDelivery, FakeOutbox
from tests.fakes.engines import FakeMt, FakeStt
from tests.fakes.pipeline import FakeEngines
from tests.fakes.records import SEGMENT, TRANSCRIPTS, sentence, speech_chunk


def handle(delivery: FakeDelivery, engine: FakeStt | None = None, outbox: FakeOutbox | None = None) -> FakeOutbox:
    outbox = outbox or FakeOutbox()
    StageWorker(SttStage(FakeEngines(stt_engine=engine or FakeStt())), outbox).handle(delivery)
    return outbox


def test_the_message_is_acked_after_its_answer_was_published():
    delivery = FakeDelivery(speech_chunk())

    class Watching(FakeOutbox):
        def publish(self, queue, body, headers=None):
            assert delivery.outcome is None
            super().publish(queue, body, headers)

    outbox = handle(delivery, outbox=Watching())
    assert delivery.outcome == "acked"
    assert [type(record) for record in outbox.records(TRANSCRIPTS)] == [Transcript]


def test_a_retryable_error_is_tried_again_later_and_the_session_is_not_troubled():
    delivery = FakeDelivery(speech_chunk(), attempt=2)
    outbox = handle(delivery, FakeStt(failures=[EngineUnavailable("stt", "away")]))
    assert (delivery.outcome, delivery.reason) == ("retried", "engine-unavailable: stt: away")
    assert outbox.published == []


def test_after_the_last_try_the_session_is_told():
    delivery = FakeDelivery(speech_chunk(), attempt=3)
    outbox = handle(delivery, FakeStt(failures=[EngineUnavailable("stt", "away")]))
    assert delivery.outcome == "dead"
    (failed,) = outbox.records(TRANSCRIPTS)
    assert isinstance(failed, SegmentFailed)
    assert (failed.stage, failed.code, failed.reason) == ("stt", "engine-unavailable", "stt: away")
    assert {name: getattr(failed, name) for name in SEGMENT if name != "created_at_ms"} == {
        name: value for name, value in SEGMENT.items() if name != "created_at_ms"
    }


def test_an_error_that_would_come_again_is_parked_at_once_and_the_session_is_told():
    delivery = FakeDelivery(speech_chunk(), attempt=1)
    outbox = handle(delivery, FakeStt(failures=[EngineRefused("stt", "too short")]))
    assert (delivery.outcome, delivery.reason) == ("dead", "engine-refused-input: stt: too short")
    assert [record.code for record in outbox.records(TRANSCRIPTS)] == ["engine-refused-input"]


@pytest.mark.parametrize("body", [b"", b"garbage", sentence()])
def test_what_is_no_record_of_the_stage_is_parked(body):
    delivery = FakeDelivery(body)
    outbox = handle(delivery)
    assert delivery.outcome == "dead"
    assert delivery.reason.startswith("malformed-message")
    assert outbox.published == []


def test_half_a_sample_is_parked_and_the_session_is_told():
    delivery = FakeDelivery(speech_chunk(pcm=b"\x00\x00\x00"))
    outbox = handle(delivery)
    assert delivery.outcome == "dead"
    assert [record.code for record in outbox.records(TRANSCRIPTS)] == ["malformed-message"]


def test_when_the_sessions_queue_is_gone_the_work_is_dropped():
    delivery = FakeDelivery(speech_chunk())
    outbox = handle(delivery, outbox=FakeOutbox({TRANSCRIPTS: [Unroutable("gone")]}))
    assert delivery.outcome == "acked"
    assert outbox.published == []


def test_when_a_shared_queue_is_gone_it_is_made_again_and_the_work_is_kept():
    delivery = FakeDelivery(sentence())
    outbox = FakeOutbox({topology.TRANSLATION: [Unroutable("gone")]})
    StageWorker(MtStage(FakeEngines()), outbox).handle(delivery)
    assert delivery.outcome == "retried"
    assert outbox.declared == [topology.TRANSLATION]


@pytest.mark.parametrize("refusal", [QueueFull("full"), BrokerUnavailable("away")])
def test_when_the_broker_does_not_take_the_answer_the_work_is_tried_again(refusal):
    delivery = FakeDelivery(speech_chunk())
    handle(delivery, outbox=FakeOutbox({TRANSCRIPTS: [refusal]}))
    assert delivery.outcome == "retried"


def test_a_failure_is_offered_again_while_the_sessions_queue_is_full():
    delivery = FakeDelivery(speech_chunk())
    outbox = FakeOutbox({TRANSCRIPTS: [QueueFull("full"), BrokerUnavailable("away")]})
    handle(delivery, FakeStt(failures=[EngineRefused("stt", "no")]), outbox)
    assert delivery.outcome == "dead"
    assert [type(record) for record in outbox.records(TRANSCRIPTS)] == [SegmentFailed]


def test_a_failure_that_nobody_takes_does_not_keep_the_worker_for_ever(monkeypatch):
    monkeypatch.setattr(base, "FAILURE_PATIENCE_S", 0.05)
    delivery = FakeDelivery(speech_chunk())
    outbox = FakeOutbox({TRANSCRIPTS: [QueueFull("full")] * 1000})
    handle(delivery, FakeStt(failures=[EngineRefused("stt", "no")]), outbox)
    assert delivery.outcome == "dead"


def test_a_fault_of_ours_is_left_to_the_broker_and_told_when_it_parks():
    delivery = FakeDelivery(speech_chunk())
    outbox = FakeOutbox()
    worker = StageWorker(SttStage(FakeEngines(stt_engine=FakeStt(failures=[ZeroDivisionError()]))), outbox)
    with pytest.raises(ZeroDivisionError):
        worker.handle(delivery)
    assert delivery.outcome is None
    worker.give_up(delivery, "ZeroDivisionError: ")
    assert [(record.code, record.reason) for record in outbox.records(TRANSCRIPTS)] == [
        ("internal-error", "ZeroDivisionError: ")
    ]


def test_poison_that_is_no_record_has_nobody_to_be_told():
    outbox = FakeOutbox()
    StageWorker(SttStage(FakeEngines()), outbox).give_up(FakeDelivery(b"garbage"), "died")
    assert outbox.published == []


def test_one_trace_goes_through_engine_and_answer():
    parent = new_traceparent()
    engine = FakeStt()
    outbox = handle(FakeDelivery(speech_chunk(), headers={TRACEPARENT_HEADER: parent}), engine)
    ((_, _, headers),) = outbox.published
    contexts = [parse_traceparent(text) for text in (parent, engine.calls[0].traceparent, headers[TRACEPARENT_HEADER])]
    assert len({context.trace_id for context in contexts}) == 1
    assert contexts[0].span_id != contexts[1].span_id


def test_work_without_a_trace_begins_one():
    engine = FakeStt()
    handle(FakeDelivery(speech_chunk()), engine)
    assert parse_traceparent(engine.calls[0].traceparent) is not None


def test_the_stages_timing_is_added_to_those_before():
    delivery = FakeDelivery(speech_chunk(), attempt=2, published_at_ms=0)
    (transcript,) = handle(delivery).records(TRANSCRIPTS)
    (timing,) = transcript.timings
    assert (timing.stage, timing.attempt) == ("stt", 2)
    assert timing.queued_ms == timing.started_at_ms
    assert timing.finished_at_ms >= timing.started_at_ms
    assert timing.compute_ms >= 0


def test_a_message_from_a_clock_ahead_of_ours_has_not_waited():
    delivery = FakeDelivery(speech_chunk(), published_at_ms=2**53)
    (transcript,) = handle(delivery).records(TRANSCRIPTS)
    assert transcript.timings[0].queued_ms == 0


def test_the_engine_that_the_request_names_is_asked():
    engines = FakeEngines(mt_engine=FakeMt())
    worker = StageWorker(MtStage(engines), FakeOutbox())
    worker.handle(FakeDelivery(sentence(engines={"mt": "mt_opus"})))
    worker.handle(FakeDelivery(sentence(engines={"tts": "tts_xtts"})))
    assert engines.asked == [("mt", "mt_opus"), ("mt", "")]
