"""A clip whose language nobody named: what the engine is asked, and what becomes of what it says."""

from dataclasses import replace

import numpy as np
import pytest

from client.contracts import Transcription
from orchestrator.corrections import Correction
from orchestrator.messages import segment_uuid
from orchestrator.session.report import build_report, segment_entries
from orchestrator.session.sender import SentenceSender
from tests.fakes.engines import FakeMt, FakeStt
from tests.fakes.pipeline import FakeEngines, fake_pipeline
from tests.media_factory import Burst, make_clip

RATE_HZ = 16_000
BURSTS = [Burst(0.4, 1.8, 500.0), Burst(3.4, 1.8, 700.0), Burst(6.4, 1.6, 900.0)]
HEARD = {500.0: ("Bonjour.", "fr"), 700.0: ("Hello.", "en"), 900.0: ("", "")}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("tongues") / "clip.mp4", duration_s=9.0, size=(96, 96), bursts=BURSTS)


def hear(audio, language):
    spectrum = np.abs(np.fft.rfft(audio))
    loudest_hz = np.fft.rfftfreq(len(audio), 1 / RATE_HZ)[spectrum.argmax()]
    text, found = HEARD[min(HEARD, key=lambda hz: abs(hz - loudest_hz))]
    return Transcription(text, found, 0.01 if text else 1.0, -0.1)


def dub(clip, tmp_path, source):
    chosen = FakeEngines(stt_engine=FakeStt(hear=hear), mt_engine=FakeMt(), sources=("en", "fr"))
    with fake_pipeline(engines=chosen) as pipeline:
        session = pipeline.session(clip, source=source)
        spoken = session.run(tmp_path / "result.mp4")
    return chosen, segment_entries(session), build_report(session, spoken=spoken)


def test_it_is_detected_among_the_languages_that_can_be_dubbed(clip, tmp_path):
    chosen, _, report = dub(clip, tmp_path, "")
    assert {call.language for call in chosen.stt_engine.calls} == {"en fr"}
    assert {call.text: call.source for call in chosen.mt_engine.calls} == {"Bonjour.": "fr", "Hello.": "en"}
    assert report.source_language in ("fr", "en")


def test_a_language_that_was_named_is_the_only_one_asked_for(clip, tmp_path):
    chosen, _, report = dub(clip, tmp_path, "en")
    assert {call.language for call in chosen.stt_engine.calls} == {"en"}
    assert {call.source for call in chosen.mt_engine.calls} == {"en"}
    assert report.source_language == "en"


def test_a_part_in_which_nothing_was_heard_is_corrected_in_the_language_spoken_before(clip, tmp_path):
    chosen = FakeEngines(stt_engine=FakeStt(hear=hear), mt_engine=FakeMt(), sources=("en", "fr"))
    with fake_pipeline(engines=chosen) as pipeline:
        session = pipeline.session(clip, source="")
        unheard = str(segment_uuid(session.request.session_id, 6400))
        corrected = replace(session.request, corrections={unheard: Correction(text="Good bye.")})
        session.speech.sender = SentenceSender(corrected, pipeline.replies, session.speech.recall, bytes)
        session.run(tmp_path / "result.mp4")
    assert [call.source for call in chosen.mt_engine.calls if call.text == "Good bye."] == ["en"]
