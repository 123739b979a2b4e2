from dataclasses import replace

import av
import numpy as np
import pytest

from client.contracts import Transcription
from client.errors import EngineRefused, EngineUnavailable
from orchestrator.errors import SessionCancelled, SessionStalled, StageFailed
from orchestrator.face_choice import FaceChoice
from orchestrator.media.audio import read_audio
from orchestrator.media.probe import probe
from orchestrator.messages import SpokenSentence
from orchestrator.session.artefacts import write_artefacts
from orchestrator.session.report import build_report, segment_entries
from orchestrator.settings import Settings
from orchestrator.store.artefacts import Artefact
from tests.fakes.engines import FAKE_PROFILE, FakeFaces, FakeLips, FakeMt, FakeStt, FakeTts, no_face
from tests.fakes.pipeline import FakeEngines, RecordingListener, fake_pipeline
from tests.media_factory import Burst, make_clip, one_scene

SENTENCES = [Burst(0.6, 1.8, 500.0), Burst(3.4, 1.8, 700.0)]
"""Two spoken sentences, as far as a segmenter can tell."""
DUB_HZ = 220.0
"""What FakeTts speaks."""
RATE_HZ = 16_000
DUCKED = 10 ** (-18 / 20)
"""What is left of the source's own sound while somebody speaks."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "two sentences ñ.mp4"
    return make_clip(path, duration_s=6.0, size=(160, 120), bursts=SENTENCES)


@pytest.fixture
def result(tmp_path):
    return tmp_path / "result.mp4"


def quick(**changes):
    settings = Settings()
    broker = settings.broker.model_copy(update={"retry_delay_s": 0.01})
    return settings.model_copy(update={"broker": broker, **changes})


def subtitle_languages(path):
    with av.open(str(path)) as container:
        return [stream.language for stream in container.streams.subtitles]


def level_at(path, frequency_hz, start_s, end_s):
    """How loud one tone is in a stretch of a clip's sound."""
    settings = Settings()
    sound = np.concatenate(list(read_audio(path, probe(path, settings.media), RATE_HZ)))
    part = sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
    clock = np.arange(len(part)) / RATE_HZ
    return 2 * abs(np.mean(part * np.exp(-2j * np.pi * frequency_hz * clock)))


def test_a_clip_is_dubbed_in_place_and_keeps_its_length(clip, result):
    with fake_pipeline() as pipeline:
        session = pipeline.session(clip)
        assert session.run(result)
    entries = segment_entries(session)
    assert [entry.text for entry in entries] == ["hello world (es)"] * 2
    for entry, burst in zip(entries, SENTENCES, strict=True):
        assert entry.start_ms == pytest.approx(burst.start_s * 1000, abs=40)
        assert entry.dub_start_ms == entry.start_ms
        assert entry.verdict == "fits"
    info = probe(result, Settings().media)
    assert info.duration_s == pytest.approx(session.clip.duration_s, abs=1 / 25)
    assert (info.width, info.height, info.frame_count) == (160, 120, 150)
    assert level_at(result, DUB_HZ, 0.7, 1.2) > 0.3
    assert level_at(result, SENTENCES[0].frequency_hz, 0.7, 2.2) == pytest.approx(0.5 * DUCKED, rel=0.05)
    assert level_at(result, DUB_HZ, 2.6, 3.2) < 0.01


@pytest.mark.parametrize("changes", [{"blend": "residual"}, {"blend": "replace", "crop_fit": "stretch"}], ids=str)
def test_lips_move_only_while_source_or_dub_speaks_whatever_the_engine(clip, result, changes):
    engines = FakeEngines(lips_engine=FakeLips(replace(FAKE_PROFILE, **changes)))
    with fake_pipeline(engines=engines) as pipeline:
        session = pipeline.session(clip)
        session.run(result)
    mels = np.concatenate([call.mels for call in engines.lips_engine.calls])
    spoken_s = sum(burst.duration_s for burst in SENTENCES)
    assert spoken_s * 25 <= len(mels) <= (spoken_s + 1.0) * 25, (
        "where the source is silent the picture passes untouched"
    )
    assert len(mels) == session.renderer.stats.frames_with_lips
    assert np.isfinite(mels).all()
    silent = mels.max(axis=(1, 2)) == -4
    assert silent.any(), "the source speaks longer than the dub: its mouth must be shut there"
    assert not silent.all()


def test_a_clip_without_speech_comes_back_byte_for_byte(tmp_path, result):
    silent = make_clip(tmp_path / "silent.mp4", duration_s=2.0)
    with fake_pipeline() as pipeline:
        session = pipeline.session(silent)
        assert not session.run(result)
    assert result.read_bytes() == silent.read_bytes()
    report = build_report(session, spoken=False)
    assert (report.outcome, report.frames_with_lips, report.verdicts) == (
        "no-speech", 0, {"fits": 0, "tight": 0, "overflow": 0, "kept": 0, "skipped": 0},
    )  # fmt: skip


def test_a_clip_without_a_face_is_dubbed_with_its_picture_untouched(clip, result):
    engines = FakeEngines(faces_engine=FakeFaces(look=no_face))
    with fake_pipeline(engines=engines) as pipeline:
        session = pipeline.session(clip)
        assert session.run(result)
    assert engines.lips_engine.calls == []
    assert session.visual.stats.frames_with_face == 0
    assert level_at(result, DUB_HZ, 0.7, 1.2) > 0.2


def test_a_chunk_that_is_no_speech_keeps_its_own_sound(clip, result):
    def hear(audio, language):
        if hear.calls:
            return Transcription("", "en", 0.99, 0.0)
        hear.calls.append(1)
        return Transcription("hello world", "en", 0.01, -0.1)

    hear.calls = []
    with fake_pipeline(engines=FakeEngines(stt_engine=FakeStt(hear=hear))) as pipeline:
        session = pipeline.session(clip)
        assert session.run(result)
    assert [entry.verdict for entry in segment_entries(session)] == ["fits", "kept"]
    assert level_at(result, SENTENCES[1].frequency_hz, 3.5, 5.0) == pytest.approx(0.5, abs=0.08)


def test_speech_that_is_too_long_is_sped_up_and_never_overlaps(clip, result):
    engines = FakeEngines(tts_engine=FakeTts(seconds_per_character=0.22))
    with fake_pipeline(engines=engines) as pipeline:
        session = pipeline.session(clip)
        session.run(result)
    first, second = segment_entries(session)
    assert 1.2 < first.rate <= 1.5
    assert first.verdict == "tight"
    assert first.dub_end_ms <= second.dub_start_ms
    assert second.dub_end_ms <= 6000


def test_a_stage_that_is_away_for_a_moment_is_tried_again(clip, result):
    engines = FakeEngines(mt_engine=FakeMt(failures=[EngineUnavailable("mt", "away")]))
    with fake_pipeline(quick(), engines) as pipeline:
        assert pipeline.session(clip).run(result)


def test_a_refused_segment_fails_the_dub_with_stage_and_reason_and_leaves_nothing(clip, result):
    engines = FakeEngines(mt_engine=FakeMt(failures=[EngineRefused("mt_apertium", "no such pair")]))
    with fake_pipeline(quick(), engines) as pipeline, pytest.raises(StageFailed, match=r"mt: .*no such pair"):
        pipeline.session(clip).run(result)
    assert list(result.parent.iterdir()) == []


def test_a_failing_lips_engine_fails_the_dub_and_leaves_nothing(clip, result):
    engines = FakeEngines(lips_engine=FakeLips(failures=[EngineRefused("lips_warp", "wrong size")]))
    with fake_pipeline(quick(), engines) as pipeline, pytest.raises(EngineRefused):
        pipeline.session(clip).run(result)
    assert list(result.parent.iterdir()) == []


def test_a_cancelled_session_stops_and_leaves_nothing(clip, result):
    listener = RecordingListener(cancel_when=lambda stage, fraction: stage == "stt" and fraction > 0)
    with fake_pipeline(quick()) as pipeline, pytest.raises(SessionCancelled):
        pipeline.session(clip, listener).run(result)
    assert list(result.parent.iterdir()) == []


def test_a_session_whose_stages_never_answer_gives_up(clip, result):
    settings = quick()
    settings = settings.model_copy(update={"session": settings.session.model_copy(update={"stall_timeout_s": 0.3})})
    with fake_pipeline(settings, stages=("mt", "tts")) as pipeline, pytest.raises(SessionStalled):
        pipeline.session(clip).run(result)


def test_repeated_answers_and_mixed_tries_change_nothing(clip, result):
    """A redelivery makes a worker answer twice, and speak with another synthesis id."""
    with fake_pipeline() as pipeline:
        session = pipeline.session(clip)
        once = session.on_reply

        def twice(reply):
            if isinstance(reply, SpokenSentence) and not reply.final:
                once(SpokenSentence(**{f: getattr(reply, f) for f in reply.__struct_fields__} | {
                    "synthesis_id": session.request.session_id, "pcm": b"\\x11\\x22" * 8,
                }))  # fmt: skip
            once(reply)
            once(reply)

        session.on_reply = twice
        assert session.run(result)
    assert [entry.verdict for entry in segment_entries(session)] == ["fits", "fits"]
    assert level_at(result, DUB_HZ, 0.7, 1.2) > 0.3


def test_a_request_may_name_other_engines(clip, result):
    chosen = {"stt": "stt_a", "mt": "mt_a", "tts": "tts_a", "faces": "faces_a", "lips": "lips_a"}
    chosen["boundary"] = "boundary_a"
    with fake_pipeline() as pipeline:
        session = pipeline.session(clip, engines=chosen)
        session.run(result)
    assert dict(pipeline.engines.asked) == chosen
    assert build_report(session, spoken=True).engines == chosen


def test_the_artefacts_tell_what_was_said_and_how_long_each_stage_took(clip, tmp_path):
    with fake_pipeline() as pipeline:
        session = pipeline.session(clip)
        spoken = session.run(tmp_path / Artefact.RESULT)
        report = write_artefacts(session, tmp_path, spoken=spoken)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "report.json", "result.mp4", "segments.json",
        "subtitles.en.srt", "subtitles.en.vtt", "subtitles.es.srt", "subtitles.es.vtt",
    ]  # fmt: skip
    assert "hello world (es)" in (tmp_path / "subtitles.es.srt").read_text()
    assert subtitle_languages(tmp_path / Artefact.RESULT) == ["spa", "eng"]
    assert {"stt", "mt", "tts", "decode", "faces", "lips", "encode"} == set(report.stages)
    assert report.stages["stt"].items == report.stages["tts"].items == 2
    assert report.overlap_s > 0
    assert report.start_error_ms_max <= 50


def test_subtitle_tracks_can_be_left_out(clip, tmp_path):
    settings = quick()
    settings = settings.model_copy(update={"media": settings.media.model_copy(update={"subtitle_tracks": False})})
    with fake_pipeline(settings) as pipeline:
        session = pipeline.session(clip)
        write_artefacts(session, tmp_path, spoken=session.run(tmp_path / Artefact.RESULT))
    assert subtitle_languages(tmp_path / Artefact.RESULT) == []


def test_progress_of_every_stage_grows_to_the_end(clip, result):
    listener = RecordingListener()
    with fake_pipeline() as pipeline:
        pipeline.session(clip, listener).run(result)
    assert set(listener.seen) == {"segment", "stt", "speech", "faces", "lips"}
    for stage, fractions in listener.seen.items():
        assert fractions[-1] == 1.0, stage
        assert all(0.0 <= fraction <= 1.0 for fraction in fractions)


def two_faces(picture):
    return np.array([[10, 20, 60, 70, 0.9], [80, 10, 150, 80, 0.9]], np.float32)


def test_the_report_lists_the_faces_and_one_of_them_can_be_asked_for(tmp_path, result):
    clip = make_clip(tmp_path / "clip.mp4", duration_s=6.0, bursts=SENTENCES, pictures=one_scene((160, 120)))
    with fake_pipeline(engines=FakeEngines(faces_engine=FakeFaces(look=two_faces))) as pipeline:
        session = pipeline.session(clip)
        spoken = session.run(result)
        found = build_report(session, spoken=spoken).visual
        assert [track.id for track in found.tracks] == [1, 2]
        assert {one.track for one in found.speakers} == {2}  # nobody's mouth moves: the largest
        assert {entry.face for entry in segment_entries(session)} == {2}
        assert found.chosen_by_s["largest"] == pytest.approx(6.0, abs=0.1)

        box = ",".join(map(str, found.tracks[0].mean_box))
        for face in ("1", box, f"{box}@2"):
            session = pipeline.session(clip, face=face)
            spoken = session.run(result)
            report = build_report(session, spoken=spoken)
            assert (report.visual.face, report.faces_followed) == (str(FaceChoice.parse(face)), 1)
            assert {(one.track, one.chosen_by) for one in report.visual.speakers} == {(1, "request")}
            assert {entry.face for entry in segment_entries(session)} == {1}
