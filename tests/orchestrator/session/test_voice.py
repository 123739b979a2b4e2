"""Every sentence of a dub is spoken by the same reference of the speaker, if the engine clones voices."""

import threading

import numpy as np
import pytest

from client.contracts import SPEAKER_SAMPLE_RATE_HZ
from client.errors import EngineError, EngineUnavailable
from client.rest import PolylipClient
from orchestrator.errors import SessionCancelled
from orchestrator.pcm import float_to_pcm
from orchestrator.session.report import build_report, segment_entries
from orchestrator.session.voice import SessionVoice
from orchestrator.settings import Settings, VoiceSettings
from orchestrator.store.stage_cache import NoCache
from orchestrator.subtitles.cues import Line
from orchestrator.voice.reference import voice_id
from tests.fakes.dubbing import dubbing, three_sentences
from tests.fakes.engines import FakeStt, FakeTts
from tests.fakes.pipeline import FakeEngines, fake_pipeline
from tests.media_factory import Burst, make_clip, one_scene
from tests.waiting import eventually

STARTS_MS = (400, 2900, 5400)
"""Of the three sentences, each 1.6 s long."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Three sentences of one speaker."""
    size, bursts = (64, 64), [Burst(start_ms / 1000, 1.6, 500.0) for start_ms in STARTS_MS]
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return make_clip(path, duration_s=7.5, size=size, fps=5, pictures=one_scene(size), bursts=bursts)


@pytest.fixture
def result(tmp_path):
    return tmp_path / "result.mp4"


def settings(**voice):
    usual = Settings()
    broker = usual.broker.model_copy(update={"retry_delay_s": 0.01})
    return usual.model_copy(update={"broker": broker, "voice": VoiceSettings(**voice)})


def run(clip, result, tts, *texts, cache=None, served=None, **request):
    """Dub the clip; return the session and the references that the engine was given, by their names."""
    engines = FakeEngines(stt_engine=FakeStt(*(texts or ("Uno.", "Dos.", "Tres."))), tts_engine=tts)
    engines.versions = engines.versions if served is None else dict.fromkeys(engines.versions, served)
    with fake_pipeline(settings(), engines) as pipeline:
        session = pipeline.session(clip, cache=cache, **request)
        session.spoken = session.run(result)
    return session, {voice_id(float_to_pcm(call.speaker_audio)) for call in tts.calls}


class Memory:
    """A stage cache that lasts."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, key):
        return self.kept.get(key)

    def put(self, key, value):
        self.kept[key] = value


def test_all_sentences_and_all_their_tries_are_spoken_by_one_reference_of_the_speaker(clip, result):
    tts = FakeTts(clones=True, failures=[EngineUnavailable("tts", "away")] * 2)
    session, voices = run(clip, result, tts)
    assert len(tts.calls) == 5
    assert len(voices) == 1
    report = build_report(session, spoken=True).voice
    assert report.outcome == "cloned"
    assert {report.reference} == voices == {entry.voice for entry in segment_entries(session)}
    assert len(report.stretches_ms) == 3
    for (start_ms, end_ms), wanted_ms in zip(report.stretches_ms, STARTS_MS, strict=True):
        assert abs(start_ms - wanted_ms) < 60
        assert abs(end_ms - wanted_ms - 1600) < 60
    sound = tts.calls[0].speaker_audio
    assert len(sound) / SPEAKER_SAMPLE_RATE_HZ == pytest.approx(report.speech_s + 3 * 0.2, abs=0.05)
    spectrum = np.abs(np.fft.rfft(sound[:SPEAKER_SAMPLE_RATE_HZ]))
    assert spectrum.argmax() == pytest.approx(500, abs=2), "the first sentence's own sound"


def test_an_engine_that_clones_no_voices_gets_none_and_nothing_is_computed(clip, result, monkeypatch):
    monkeypatch.setattr("orchestrator.session.voice.ReferenceChoice", None)
    tts = FakeTts()
    session = run_without(clip, result, tts)
    assert build_report(session, spoken=True).voice.outcome == "engines-own"
    assert {entry.voice for entry in segment_entries(session)} == {""}


def test_cloning_can_be_turned_off(clip, result, monkeypatch):
    monkeypatch.setattr("orchestrator.session.voice.ReferenceChoice", None)
    session = run_without(clip, result, FakeTts(clones=True), clone=False)
    assert build_report(session, spoken=True).voice.outcome == "off"


def run_without(clip, result, tts, cache=None, **voice):
    engines = FakeEngines(stt_engine=FakeStt("Uno.", "Dos.", "Tres."), tts_engine=tts)
    with fake_pipeline(settings(**voice), engines) as pipeline:
        session = pipeline.session(clip, cache=cache)
        session.run(result)
    assert [call.speaker_audio for call in tts.calls] == [None] * 3
    return session


def test_too_little_speech_is_dubbed_without_a_reference_and_the_report_says_so(clip, result):
    session = run_without(clip, result, FakeTts(clones=True), min_s=5.5)
    report = build_report(session, spoken=True).voice
    assert (report.outcome, report.reference, report.stretches_ms) == ("too-little-speech", "", ())


def test_what_sounds_unlike_the_first_speech_is_not_taken(result, tmp_path):
    session, voices = run(three_sentences(tmp_path / "three.mp4"), result, FakeTts(clones=True))
    assert len(voices) == 1
    assert len(build_report(session, spoken=True).voice.stretches_ms) == 1


def test_what_is_heard_before_the_first_words_is_not_the_speaker(clip, result):
    session, voices = run(clip, result, FakeTts(clones=True), "", "Dos.", "Tres.")
    starts_ms = [start_ms for start_ms, _ in build_report(session, spoken=True).voice.stretches_ms]
    assert len(voices) == 1
    assert [abs(start_ms - at_ms) < 60 for start_ms, at_ms in zip(starts_ms, STARTS_MS[1:], strict=True)] == [True] * 2


def test_a_given_transcript_says_where_the_speech_is(clip, result):
    lines = (Line(450, 1900, "One."), Line(5450, 6900, "Three."))
    session, voices = run(clip, result, FakeTts(clones=True), transcript=lines)
    assert len(voices) == 1
    assert build_report(session, spoken=True).voice.stretches_ms == ((450, 1900), (5450, 6900))


def test_another_try_of_the_job_speaks_by_the_reference_of_the_first(clip, result, tmp_path):
    """Even where the recogniser says something else now, and so would choose another one."""
    memory = Memory()
    _, first = run(clip, result, FakeTts(clones=True), "", "Dos.", "Tres.", cache=memory)
    other = FakeTts(clones=True)
    session, second = run(clip, tmp_path / "again.mp4", other, "Uno.", "Otro.", "Más.", cache=memory, served="2")
    assert len(other.calls) == 3
    assert first == second == {entry.voice for entry in segment_entries(session)}


def test_remarks_of_the_engine_are_in_the_report_and_are_remembered_with_the_speech(clip, result, tmp_path):
    memory = Memory()
    first, _ = run(clip, result, FakeTts(clones=True, remark="spoken again: 9 s for 4 letters"), cache=memory)
    again = FakeTts(clones=True)
    second, _ = run(clip, tmp_path / "again.mp4", again, cache=memory)
    assert again.calls == []
    for session in (first, second):
        assert [entry.remarks for entry in segment_entries(session)] == [("spoken again: 9 s for 4 letters",)] * 3


def test_speech_of_another_voice_is_not_taken_for_this_one(clip, result, tmp_path):
    memory = Memory()
    run(clip, result, FakeTts(clones=True), cache=memory)
    run_without(clip, tmp_path / "plain.mp4", FakeTts(), cache=memory)


def test_a_corrected_render_speaks_by_the_same_bytes_and_erasing_the_dub_leaves_nothing_of_them(clip, tmp_path):
    with dubbing(tmp_path) as running, PolylipClient(running.url) as client:
        tts = running.engines.tts_engine = FakeTts(clones=True)
        dub_id = running.dub(clip)
        (reference,) = {call.speaker_audio.tobytes() for call in tts.calls}
        client.correct(dub_id, 1, {"translation": "Dos pececitos."})
        client.render(dub_id)
        assert [call.text for call in tts.calls[3:]] == ["Dos pececitos."]
        assert tts.calls[3].speaker_audio.tobytes() == reference
        folder = tmp_path / "media" / dub_id
        name = voice_id(float_to_pcm(tts.calls[3].speaker_audio))
        assert name.encode() in client.download(dub_id, "segments.json", tmp_path / "segments.json").read_bytes()
        assert any(b"stretches_ms" in path.read_bytes() for path in folder.glob("cache/*"))
        client.delete(dub_id)
        eventually(lambda: not folder.exists())


def test_no_more_sentences_are_on_their_way_than_the_settings_say(clip, result):
    release, translated = threading.Event(), []

    class Held(FakeTts):
        def _stream(self, call):
            release.wait(30)
            translated.append(len(engines.mt_engine.calls))
            yield from super()._stream(call)

    engines = FakeEngines(stt_engine=FakeStt("Uno.", "Dos.", "Tres."), tts_engine=Held(clones=True))
    with fake_pipeline(settings(sentences_in_work=1), engines) as pipeline:
        session = pipeline.session(clip)
        at_work = threading.Thread(target=session.run, args=(result,))
        at_work.start()
        try:
            eventually(lambda: engines.tts_engine.calls and session.speech.book.unspoken() == 2)
        finally:
            release.set()
            at_work.join()
    assert translated == [1, 2, 3], "each was sent when the one before was spoken"


def test_a_stopped_session_does_not_go_on_waiting_for_its_voice():
    stop = threading.Event()
    voice = SessionVoice(VoiceSettings(), NoCache(), stop, lambda: 0, 0.0)
    voice.open(FakeTts(clones=True))
    stop.set()
    with pytest.raises(SessionCancelled):
        voice.for_sentence()
    assert voice.wanted


def test_an_engine_that_cannot_be_asked_fails_the_dub_so_that_it_is_tried_again(clip, result):
    class Away(FakeTts):
        def clones_voice(self):
            raise EngineUnavailable("tts", "away")

    with fake_pipeline(settings(), FakeEngines(tts_engine=Away())) as pipeline, pytest.raises(EngineError) as caught:
        pipeline.session(clip).run(result)
    assert caught.value.retryable
