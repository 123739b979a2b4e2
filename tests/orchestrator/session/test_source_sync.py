"""A whole session of a clip whose sound is late: everything that is heard moves to where it is seen."""

import threading

import numpy as np
import pytest

from client.contracts import Transcription
from orchestrator.media.audio import read_audio
from orchestrator.media.probe import probe
from orchestrator.session.report import build_report, segment_entries
from orchestrator.settings import Settings
from tests.fakes.engines import FakeFaces, FakeStt
from tests.fakes.pipeline import FakeEngines, fake_pipeline
from tests.media_factory import make_clip
from tests.offset_cases import rendered
from tests.talking_faces import FPS, RATE_HZ, SIZE

LATE_MS = 300
SEED = 4001


@pytest.fixture(scope="module")
def late_clip(tmp_path_factory):
    case = rendered(SEED)
    pictures = [frame.to_ndarray(format="rgb24") for _, _, frame in case.frames]
    return make_clip(
        tmp_path_factory.mktemp("late") / "late.mp4",
        duration_s=case.scene.seconds,
        size=SIZE,
        fps=FPS,
        pictures=lambda index, time_s: pictures[index],
        video_options={"crf": "18"},
        samples=case.scene.sound,
        sample_rate=RATE_HZ,
        audio_offset_s=LATE_MS / 1000,
    )


def face_of(seed):
    person = rendered(seed).scene.people[0]
    half = person.width / 2
    box = np.array([[person.x - half, person.y - half, person.x + half, person.y + half, 0.9]], np.float32)
    return lambda picture: box


def sound_of(path):
    return np.concatenate(list(read_audio(path, probe(path, Settings().media), RATE_HZ)))


def lag_s(before, after):
    """By how much the second sound is later than the first, from their cross-correlation."""
    size = len(before) + len(after)
    product = np.fft.irfft(np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size)), size)
    best = int(product.argmax())
    return (best if best < size // 2 else best - size) / RATE_HZ


def test_late_sound_is_heard_where_it_is_seen_and_the_clip_keeps_its_length(late_clip, tmp_path):
    engines = FakeEngines(faces_engine=FakeFaces(look=face_of(SEED)))
    result = tmp_path / "result.mp4"
    with fake_pipeline(engines=engines) as pipeline:
        session = pipeline.session(late_clip, background="0")
        spoken = session.run(result)
        report = build_report(session, spoken=spoken)
    assert report.source_sync.verdict == "corrected"
    assert report.source_sync.corrected_ms == pytest.approx(LATE_MS, abs=40)
    assert -lag_s(sound_of(late_clip), sound_of(result)) * 1000 == pytest.approx(LATE_MS, abs=40)
    before, after = (probe(path, Settings().media) for path in (late_clip, result))
    assert after.duration_s == pytest.approx(before.duration_s, abs=1 / FPS)
    assert after.frame_count == before.frame_count
    seen_ms = 1000 * np.flatnonzero(np.abs(rendered(SEED).scene.sound) > 0.02)[0] / RATE_HZ
    assert segment_entries(session)[0].start_ms == pytest.approx(seen_ms, abs=80)
    pictures = [call.shape[0] for call in engines.faces_engine.calls]
    assert sum(pictures) < 2 * after.frame_count / 5, "the detector sees the beginning once, not twice"


def test_speech_is_worked_on_while_the_sync_is_measured_and_begun_anew_where_the_sound_moves(late_clip, tmp_path):
    """The answer to what was asked before comes after, and changes nothing."""
    asked, moved = threading.Event(), threading.Event()
    box = face_of(SEED)(None)

    def look(_picture):
        assert asked.wait(30)
        return box

    def hear(_audio, _language):
        late = not asked.is_set()
        asked.set()
        assert not late or moved.wait(30)
        return Transcription(
            text="late" if late else "in time", language="en", no_speech_probability=0.0, mean_logprob=0.0
        )

    engines = FakeEngines(faces_engine=FakeFaces(look=look), stt_engine=FakeStt(hear=hear))
    with fake_pipeline(engines=engines) as pipeline:
        session = pipeline.session(late_clip)
        before, new_speech = session.speech, session._new_speech

        def moving(clip):
            moved.set()
            return new_speech(clip)

        session._new_speech = moving
        assert session.run(tmp_path / "result.mp4")
    assert before.book.chunks()
    assert session.speech is not before
    assert {entry.source_text for entry in segment_entries(session)} == {"in time"}
