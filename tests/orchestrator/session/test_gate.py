"""The sentence gate in a whole session: fake engines, real workers, a clip of tones that stand for spoken parts."""

import threading

import numpy as np
import pytest

from client.contracts import Transcription
from client.errors import EngineTimeout
from orchestrator.errors import SessionCancelled
from orchestrator.media.audio import read_audio
from orchestrator.messages import Transcript, segment_uuid
from orchestrator.session.report import build_report, segment_entries
from orchestrator.settings import EngineSettings, Settings
from tests.fakes.engines import FakeBoundary, FakeMt, FakeStt, FakeTts
from tests.fakes.pipeline import FakeEngines, RecordingListener, fake_pipeline
from tests.media_factory import Burst, make_clip
from tests.waiting import eventually

RATE_HZ = 16_000
PARTS = {500.0: "when it rains", 700.0: "we stay at home.", 900.0: "Nobody minds."}
"""What a tone of so many hertz says."""
BURSTS = [Burst(0.6, 1.8, 500.0), Burst(3.2, 1.8, 700.0), Burst(5.6, 1.6, 900.0)]


def hear(audio, language):
    """Understand a tone by its frequency; what is no part is no speech."""
    spectrum = np.abs(np.fft.rfft(audio))
    loudest_hz = np.fft.rfftfreq(len(audio), 1 / RATE_HZ)[spectrum.argmax()]
    text = next((text for hz, text in PARTS.items() if abs(hz - loudest_hz) < 50), "")
    return Transcription(text, language or "en", 0.01 if text else 0.99, -0.1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("gate") / "clip.mp4", duration_s=8.0, size=(96, 96), bursts=BURSTS)


@pytest.fixture
def result(tmp_path):
    return tmp_path / "result.mp4"


def engines(boundary, **others):
    return FakeEngines(stt_engine=FakeStt(hear=hear), boundary_engine=boundary, **others)


def with_gate(**gate):
    settings = Settings()
    return settings.model_copy(update={"gate": settings.gate.model_copy(update=gate)})


def dub(clip, result, chosen, settings=None):
    with fake_pipeline(settings or Settings(), chosen) as pipeline:
        session = pipeline.session(clip)
        spoken = session.run(result)
    return session, segment_entries(session), build_report(session, spoken=spoken)


def test_a_sentence_with_a_pause_in_it_is_translated_and_spoken_as_one(clip, result):
    chosen = engines(FakeBoundary())
    session, entries, report = dub(clip, result, chosen)
    assert [call.text for call in chosen.mt_engine.calls] == ["when it rains we stay at home.", "Nobody minds."]
    first, second = entries
    assert (first.sequence, second.sequence) == (0, 1)
    assert first.source_text == "when it rains we stay at home."
    assert (first.start_ms, first.end_ms) == (pytest.approx(600, abs=40), pytest.approx(5000, abs=40))
    assert first.segment_id == str(segment_uuid(session.request.session_id, first.start_ms))
    assert first.dub_start_ms == first.start_ms
    assert [chunk.text for chunk in first.chunks] == ["when it rains", "we stay at home."]
    assert first.chunks[1].start_ms == pytest.approx(3200, abs=40)
    assert (first.gate, first.gate_score) == ("model", 1.0)
    assert (report.gate.chunks, report.gate.sentences, report.gate.joined, report.gate.scored) == (3, 2, 1, 3)
    assert report.gate.ended_by["model"] == 2
    assert report.gate.fallbacks == {}
    assert report.stages["stt"].items == 3
    assert report.stages["mt"].items == report.stages["tts"].items == 2


def test_without_a_boundary_engine_punctuation_and_pauses_decide_and_the_report_says_so(clip, result):
    settings = Settings(engines=EngineSettings(boundary=""))
    _, entries, report = dub(clip, result, engines(None), settings)
    assert [(entry.source_text, entry.gate) for entry in entries] == [
        ("when it rains", "pause"),
        ("we stay at home.", "punctuation"),
        ("Nobody minds.", "punctuation"),
    ]
    assert {entry.gate_fallback for entry in entries} == {"no-engine"}
    assert {entry.gate_score for entry in entries} == {None}
    assert (report.gate.engine, report.gate.fallbacks, report.gate.scored) == ("", {"no-engine": 3}, 0)


def test_a_language_without_a_trained_detector_is_marked(clip, result):
    _, entries, report = dub(clip, result, engines(FakeBoundary(languages=["de"])))
    assert {entry.gate_fallback for entry in entries} == {"language-not-trained"}
    assert report.gate.fallbacks == {"language-not-trained": 3}


def test_an_engine_that_is_too_slow_for_one_text_is_replaced_for_it_and_the_dub_goes_on(clip, result):
    late = EngineTimeout("sentence_boundary", "1 s have passed")
    _, entries, report = dub(clip, result, engines(FakeBoundary(failures=[late])))
    assert [(entry.gate, entry.gate_fallback) for entry in entries] == [
        ("pause", "engine-timeout"),
        ("model", ""),
        ("model", ""),
    ]
    assert report.gate.fallbacks == {"engine-timeout": 1}


def test_a_gate_that_is_off_leaves_chunks_as_they_are(clip, result):
    chosen = engines(FakeBoundary())
    _, entries, report = dub(clip, result, chosen, with_gate(enabled=False))
    assert [entry.gate for entry in entries] == ["off"] * 3
    assert chosen.boundary_engine.calls == []
    assert (report.gate.engine, report.gate.ended_by["off"]) == ("", 3)


def test_a_pause_that_is_too_long_ends_a_sentence_that_is_not_whole(clip, result):
    _, entries, _ = dub(clip, result, engines(FakeBoundary()), with_gate(max_pause_s=0.75))
    assert [(entry.source_text, entry.gate) for entry in entries][:2] == [
        ("when it rains", "pause"),
        ("we stay at home.", "model"),
    ]


def test_a_sentence_that_grows_too_long_is_cut_by_force_and_marked(clip, result):
    settings = Settings()
    settings = settings.model_copy(update={"vad": settings.vad.model_copy(update={"max_segment_s": 4.0})})
    _, entries, report = dub(clip, result, engines(FakeBoundary()), settings)
    assert [entry.gate for entry in entries] == ["forced", "model", "model"]
    assert report.gate.forced_share == pytest.approx(1 / 3, abs=0.001)


def test_a_sentence_that_never_ends_ends_with_the_sound(clip, result):
    _, entries, _ = dub(clip, result, engines(FakeBoundary(judge=lambda text: 0.0)))
    (only,) = entries
    assert (only.gate, only.gate_score, len(only.chunks)) == ("end", 0.0, 3)


def test_what_is_no_speech_keeps_its_own_sound_between_sentences(tmp_path, result):
    bursts = [Burst(0.6, 1.8, 700.0), Burst(3.2, 1.8, 3000.0), Burst(5.6, 1.6, 900.0)]
    clip = make_clip(tmp_path / "clip.mp4", duration_s=8.0, size=(96, 96), bursts=bursts)
    _, entries, report = dub(clip, result, engines(FakeBoundary()))
    assert [(entry.verdict, entry.gate) for entry in entries] == [("fits", "model"), ("kept", ""), ("fits", "model")]
    assert [entry.sequence for entry in entries] == [0, 1, 2]
    assert (report.gate.chunks, report.gate.sentences) == (3, 2)


def test_a_joined_sentence_of_which_nothing_is_left_to_say_keeps_its_own_sound(clip, result):
    silent = FakeMt({"when it rains we stay at home.": " "})
    session, entries, _ = dub(clip, result, engines(FakeBoundary(), mt_engine=silent))
    assert [entry.verdict for entry in entries] == ["kept", "fits"]
    assert not session.speech.book.all()[0].chunks[0].chunk.samples.size, "the source's sound is forgotten afterwards"


def test_transcripts_that_come_back_in_reverse_give_the_same_sentences(clip, result):
    plain = dub(clip, result, engines(FakeBoundary()))[1]
    with fake_pipeline(engines=engines(FakeBoundary())) as pipeline:
        session = pipeline.session(clip)
        take, held = session.on_reply, []

        def reversed_order(reply):
            if not isinstance(reply, Transcript):
                take(reply)
                return
            held.append(reply)
            if len(held) == len(PARTS):
                for late in reversed(held):
                    take(late)
                    take(late)

        session.on_reply = reversed_order
        assert session.run(result)
    entries = segment_entries(session)
    assert [(e.source_text, e.start_ms, e.end_ms, e.gate, e.dub_start_ms, e.dub_end_ms) for e in entries] == [
        (e.source_text, e.start_ms, e.end_ms, e.gate, e.dub_start_ms, e.dub_end_ms) for e in plain
    ]


def test_a_fault_in_the_gate_fails_the_dub_and_leaves_nothing(clip, result):
    chosen = engines(FakeBoundary(failures=[ZeroDivisionError("a fault of ours")]))
    with pytest.raises(ZeroDivisionError):
        dub(clip, result, chosen)
    assert list(result.parent.iterdir()) == []


def test_a_dub_can_be_cancelled_while_a_text_is_judged(clip, result):
    judging, release = threading.Event(), threading.Event()

    def wait(text):
        judging.set()
        release.wait(30)
        return 1.0

    listener = RecordingListener(cancel_when=lambda stage, fraction: judging.is_set())
    with fake_pipeline(engines=engines(FakeBoundary(judge=wait))) as pipeline:
        session = pipeline.session(clip, listener)
        failed = []

        def run():
            try:
                session.run(result)
            except SessionCancelled:
                failed.append(True)

        dubbing = threading.Thread(target=run)
        dubbing.start()
        eventually(listener.cancelled, timeout_s=30)
        release.set()
        dubbing.join(30)
    assert failed == [True]
    assert list(result.parent.iterdir()) == []


def test_a_sentence_that_is_not_whole_does_not_starve_while_much_sound_is_held(tmp_path, result, monkeypatch):
    """The smallest buffer is full of finished speech that cannot be written yet: the segmenter must go on."""
    bursts = [Burst(0.3, 6.5, 900.0), Burst(7.6, 1.8, 500.0), Burst(10.2, 1.8, 700.0)]
    clip = make_clip(tmp_path / "clip.mp4", duration_s=12.5, size=(64, 64), fps=10, bursts=bursts)
    settings = Settings()
    limits = settings.sync.model_copy(update={"audio_buffer_bytes": 1024 * 1024})
    patience = settings.session.model_copy(update={"stall_timeout_s": 10.0})
    settings = settings.model_copy(update={"sync": limits, "session": patience})
    chosen = engines(FakeBoundary(), tts_engine=FakeTts(seconds_per_character=0.5))
    full = []

    def halting(path, info, rate_hz):
        """The audio branch is given what follows the second chunk only once the buffer is full."""
        read_s = 0.0
        for block in read_audio(path, info, rate_hz):
            if threading.current_thread().name == "audio-branch" and read_s > 10.0 and not full:
                eventually(lambda: not session.speech.timeline.wait_below(limits.audio_buffer_bytes, 0), timeout_s=30)
                full.append(session.speech.book.counts()[0])
            read_s += len(block) / rate_hz
            yield block

    monkeypatch.setattr("orchestrator.session.speech_branch.read_audio", halting)
    with fake_pipeline(settings, chosen) as pipeline:
        session = pipeline.session(clip)
        assert session.run(result)
    assert full == [2]
    assert [len(entry.chunks) for entry in segment_entries(session)] == [1, 2]
