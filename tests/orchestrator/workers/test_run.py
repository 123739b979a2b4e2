"""Workers on a real broker: the relay from a chunk of speech to spoken sentences; starting and stopping."""

import itertools
import threading

import pytest

from client.errors import EngineUnavailable
from orchestrator.errors import BrokerUnavailable
from orchestrator.messages import SegmentFailed, SpokenSentence, Transcript, decode, encode
from orchestrator.queues import topology
from orchestrator.queues.broker import TRACEPARENT_HEADER, QueueSpec
from orchestrator.queues.memory import MemoryBroker
from orchestrator.queues.rabbitmq import RabbitBroker
from orchestrator.settings import BrokerSettings, Settings
from orchestrator.tracing import new_traceparent, parse_traceparent
from orchestrator.workers.run import STAGES, run_worker, start_worker
from tests.fakes.broker import Collector
from tests.fakes.engines import FakeMt, FakeStt, FakeTts
from tests.fakes.pipeline import FakeEngines
from tests.fakes.records import SPOKEN, TRANSCRIPTS, sentence, speech_chunk
from tests.waiting import eventually

QUICK = {"retry_delay_s": 0.02, "retry_factor": 1.0}


@pytest.fixture(params=["memory", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def broker(request):
    if request.param == "memory":
        broker = MemoryBroker(BrokerSettings(**QUICK))
    else:
        broker = RabbitBroker(BrokerSettings(url=request.getfixturevalue("vhost_url"), **QUICK))
    for queue in (TRANSCRIPTS, SPOKEN):
        broker.declare(QueueSpec(queue, durable_work=False))
    yield broker
    broker.close()


def records(collector: Collector) -> list:
    return [decode(body) for body in collector.bodies]


def test_speech_goes_in_and_translated_speech_comes_out(broker):
    engines = FakeEngines(
        FakeStt("good morning"), FakeMt({"good morning": "buenos días"}), FakeTts(chunk_s=0.1, sample_rate_hz=22_050)
    )
    for stage in STAGES:
        start_worker(stage, broker, engines)
    heard, spoken = Collector(), Collector()
    broker.consume(TRANSCRIPTS, heard)
    broker.consume(SPOKEN, spoken)
    trace = {TRACEPARENT_HEADER: new_traceparent()}

    broker.publish(topology.AUDIO, encode(speech_chunk()), trace)
    heard.wait_for(1)
    (transcript,) = records(heard)
    assert isinstance(transcript, Transcript)
    broker.publish(topology.TEXT, encode(sentence(text=transcript.text, timings=transcript.timings)), trace)
    eventually(lambda: any(record.final for record in records(spoken)))

    chunks = records(spoken)
    assert all(isinstance(chunk, SpokenSentence) for chunk in chunks)
    assert {chunk.text for chunk in chunks} == {"buenos días"}
    assert {chunk.segment_id for chunk in chunks} == {transcript.segment_id}
    assert [timing.stage for timing in chunks[-1].timings] == list(STAGES)
    traces = {parse_traceparent(d.headers[TRACEPARENT_HEADER]).trace_id for d in heard.deliveries + spoken.deliveries}
    assert traces == {parse_traceparent(trace[TRACEPARENT_HEADER]).trace_id}


def test_an_engine_that_is_away_for_a_while_costs_time_and_nothing_else(broker):
    away = [EngineUnavailable("stt", "away") for _ in range(2)]
    start_worker("stt", broker, FakeEngines(FakeStt("at last", failures=away)))
    heard = Collector()
    broker.consume(TRANSCRIPTS, heard)
    broker.publish(topology.AUDIO, encode(speech_chunk()))
    heard.wait_for(1)
    (transcript,) = records(heard)
    assert (transcript.text, transcript.timings[0].attempt) == ("at last", 3)


@pytest.mark.parametrize("failure", [EngineUnavailable("stt", "away"), ZeroDivisionError("a fault of ours")])
def test_a_segment_that_is_given_up_is_reported_and_parked(broker, failure):
    start_worker("stt", broker, FakeEngines(FakeStt(failures=[failure] * 3)))
    heard = Collector()
    broker.consume(TRANSCRIPTS, heard)
    broker.publish(topology.AUDIO, encode(speech_chunk()))
    heard.wait_for(1)
    (failed,) = records(heard)
    assert isinstance(failed, SegmentFailed)
    assert "away" in failed.reason or "a fault of ours" in failed.reason
    eventually(lambda: broker.depth(topology.dead(topology.AUDIO)) == 1)


def test_a_stopping_worker_finishes_what_it_has_begun(broker):
    begun, finish, stop, ready = (threading.Event() for _ in range(4))

    class Slow(FakeStt):
        def transcribe(self, audio, language="", *, traceparent=""):
            begun.set()
            assert finish.wait(15)
            return super().transcribe(audio, language, traceparent=traceparent)

    arguments = ("stt", broker, FakeEngines(Slow("done")), Settings(), stop, ready.set)
    worker = threading.Thread(target=run_worker, args=arguments)
    worker.start()
    assert ready.wait(15)
    broker.publish(topology.AUDIO, encode(speech_chunk()))
    assert begun.wait(15)
    stop.set()
    finish.set()
    worker.join()
    heard = Collector()
    broker.consume(TRANSCRIPTS, heard)
    heard.wait_for(1)
    assert [record.text for record in records(heard)] == ["done"]
    assert broker.depth(topology.AUDIO) == 0


class AwayBroker(MemoryBroker):
    """Is away for the first `times` calls."""

    def __init__(self, times: float) -> None:
        super().__init__(BrokerSettings())
        self.refused = 0
        self._times = times

    def declare(self, queue):
        if self.refused < self._times:
            self.refused += 1
            raise BrokerUnavailable("not there yet")
        super().declare(queue)


def test_a_worker_waits_for_a_broker_that_is_not_there_yet():
    broker, stop, ready = AwayBroker(2), threading.Event(), threading.Event()
    worker = threading.Thread(target=run_worker, args=("mt", broker, FakeEngines(), Settings(), stop, ready.set))
    worker.start()
    assert ready.wait(15)
    assert broker.refused == 2
    stop.set()
    worker.join()
    broker.close()


def test_a_worker_may_be_stopped_while_it_waits():
    broker, stop = AwayBroker(float("inf")), threading.Event()
    worker = threading.Thread(target=run_worker, args=("mt", broker, FakeEngines(), Settings(), stop))
    worker.start()
    eventually(lambda: broker.refused > 0)
    stop.set()
    worker.join(15)
    assert not worker.is_alive()
    broker.close()


def test_an_unknown_stage_is_refused_with_the_names_there_are():
    broker = MemoryBroker(BrokerSettings())
    with pytest.raises(ValueError, match="stt, mt, tts"):
        start_worker("lips", broker, FakeEngines())
    broker.close()


def test_three_workers_of_a_stage_work_side_by_side(broker):
    meeting = threading.Barrier(3, timeout=15)
    numbers = itertools.count()

    class Meeting(FakeMt):
        def translate(self, text, source, target, *, traceparent=""):
            meeting.wait()
            return f"{text} {next(numbers)}"

    for _ in range(3):
        start_worker("mt", broker, FakeEngines(mt_engine=Meeting()))
    start_worker("tts", broker, FakeEngines())
    spoken = Collector()
    broker.consume(SPOKEN, spoken)
    for n in range(3):
        broker.publish(topology.TEXT, encode(sentence(sequence=n)))
    eventually(lambda: sum(record.final for record in records(spoken)) == 3)
    assert {record.sequence for record in records(spoken)} == {0, 1, 2}
