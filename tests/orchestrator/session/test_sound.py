"""The sound of whole dubs: levels, spectra, channels and peaks of what comes out of the muxer, decoded again."""

import numpy as np
import pytest

from client.contracts import Transcription
from orchestrator.media.audio import read_sound
from orchestrator.media.loudness import measure
from orchestrator.media.probe import probe
from orchestrator.session.report import build_report, segment_entries
from orchestrator.settings import Settings, SoundSettings
from tests.fakes.engines import FakeStt
from tests.fakes.pipeline import FakeEngines, fake_pipeline
from tests.media_factory import make_clip

RATE_HZ = 48_000
SECONDS = 6.0
SPEECH_S = [(0.6, 2.4), (3.6, 5.2)]
SPEECH_HZ, HUM_HZ, DUB_HZ = 500.0, 3000.0, 220.0
"""The source's speech, what is behind it, and what FakeTts speaks."""
HUM = 0.004
"""More than 35 dB below the speech: no segmenter takes it for speech."""


def source_sound(speech=0.3, hum=HUM):
    clock = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
    sound = hum * np.sin(2 * np.pi * HUM_HZ * clock)
    for start_s, end_s in SPEECH_S:
        inside = (clock >= start_s) & (clock < end_s)
        sound[inside] += speech * np.sin(2 * np.pi * SPEECH_HZ * clock[inside])
    return sound.astype(np.float32)


def dub(tmp_path, sound, background="", channels=1, engines=None, settings=None):
    clip = make_clip(tmp_path / "clip.mp4", duration_s=SECONDS, samples=sound, channels=channels)
    result = tmp_path / "result.mp4"
    with fake_pipeline(settings, engines) as pipeline:
        session = pipeline.session(clip, background=background)
        assert session.run(result)
    return clip, result, session


def sound_of(path, channels=1):
    info = probe(path, Settings().media)
    return np.concatenate(list(read_sound(path, info, RATE_HZ, channels=channels)), axis=1)


def level(sound, frequency_hz, start_s, end_s):
    part = sound[0, round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
    clock = np.arange(len(part)) / RATE_HZ
    return 2 * abs(np.mean(part * np.exp(-2j * np.pi * frequency_hz * clock)))


def decibels(ratio):
    return 20 * np.log10(ratio)


@pytest.mark.parametrize(("background", "duck_db"), [("", -18.0), ("-6", -6.0)])
def test_what_is_behind_the_speech_steps_back_under_the_dub_and_is_itself_elsewhere(tmp_path, background, duck_db):
    clip, result, session = dub(tmp_path, source_sound(), background)
    before, after = sound_of(clip), sound_of(result)
    for start_s, end_s in SPEECH_S:
        ratio = level(after, HUM_HZ, start_s, end_s) / level(before, HUM_HZ, start_s, end_s)
        assert decibels(ratio) == pytest.approx(duck_db, abs=1.0)
    own = level(after, HUM_HZ, 2.8, 3.4) / level(before, HUM_HZ, 2.8, 3.4)
    assert decibels(own) == pytest.approx(0.0, abs=0.5)
    spoken = level(after, SPEECH_HZ, 3.7, 5.1) / level(before, SPEECH_HZ, 3.7, 5.1)
    assert decibels(spoken) == pytest.approx(duck_db, abs=1.0), "the old voice stays audible, so much quieter"
    report = build_report(session, spoken=True).sound
    assert (report.background, report.duck_db) == ("duck", duck_db)
    assert 3.4 < report.ducked_s < 5.0


def test_off_leaves_the_dub_alone(tmp_path):
    _, result, session = dub(tmp_path, source_sound(), "off")
    after = sound_of(result)
    assert level(after, DUB_HZ, 0.7, 1.2) > 0.1
    assert level(after, HUM_HZ, 0.0, SECONDS) < 1e-4
    assert level(after, SPEECH_HZ, 0.7, 2.2) < 1e-3
    report = build_report(session, spoken=True).sound
    assert (report.background, report.duck_db, report.ducked_s) == ("off", None, 0)


@pytest.mark.parametrize("speech", [0.003, 0.9])
def test_the_dub_is_as_loud_as_the_speech_it_replaces(tmp_path, speech):
    clip, result, session = dub(tmp_path, source_sound(speech, hum=0.0), "off")
    spoken_s = [(entry.dub_start_ms / 1000, entry.dub_end_ms / 1000) for entry in segment_entries(session)]
    source = np.concatenate([sound_of(clip)[0, round(a * RATE_HZ) : round(b * RATE_HZ)] for a, b in SPEECH_S])
    dubbed = np.concatenate([sound_of(result)[0, round(a * RATE_HZ) : round(b * RATE_HZ)] for a, b in spoken_s])
    assert measure(dubbed, RATE_HZ).lufs == pytest.approx(measure(source, RATE_HZ).lufs, abs=1.5)
    report = build_report(session, spoken=True).sound
    assert report.dub_lufs == pytest.approx(report.source_lufs, abs=0.1)
    assert report.dub_lufs - report.dub_lufs_before == pytest.approx(report.gain_db_first, abs=0.1)


def test_the_dub_can_be_left_as_loud_as_it_was_spoken(tmp_path):
    settings = Settings(sound=SoundSettings(background="off", match_loudness=False))
    _, result, session = dub(tmp_path, source_sound(0.03), settings=settings)
    assert level(sound_of(result), DUB_HZ, 0.7, 1.2) == pytest.approx(0.3, abs=0.03)
    assert build_report(session, spoken=True).sound.dub_lufs is None


@pytest.mark.parametrize("background", ["0", "off"])
def test_nothing_clips_however_loud_the_source(tmp_path, background):
    _, result, session = dub(tmp_path, source_sound(1.0, hum=0.01), background)
    after = sound_of(result)
    assert np.abs(after).max() < 1.0
    assert measure(after[0], RATE_HZ).true_peak_dbtp <= -1.0
    assert build_report(session, spoken=True).sound.true_peak_dbtp <= -1.5


def test_a_chunk_that_keeps_its_own_sound_is_heard_once(tmp_path):
    def hear(audio, language):
        heard.append(1)
        return Transcription("hello world", "en", 0.01, -0.1) if len(heard) == 1 else Transcription("", "en", 0.99, 0.0)

    heard = []
    clip, result, session = dub(tmp_path, source_sound(), engines=FakeEngines(stt_engine=FakeStt(hear=hear)))
    assert [entry.verdict for entry in segment_entries(session)] == ["fits", "kept"]
    before, after = sound_of(clip), sound_of(result)
    for frequency_hz in (SPEECH_HZ, HUM_HZ):
        ratio = level(after, frequency_hz, 3.7, 5.1) / level(before, frequency_hz, 3.7, 5.1)
        assert decibels(ratio) == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize(("channels", "kept"), [(2, 2), (6, 2)])
def test_stereo_stays_stereo_and_the_dub_is_in_the_middle(tmp_path, channels, kept):
    _, result, session = dub(tmp_path, source_sound(), channels=channels)
    assert probe(result, Settings().media).audio_channels == kept == build_report(session, spoken=True).sound.channels
    after = sound_of(result, channels=kept)
    levels = [level(after[channel : channel + 1], DUB_HZ, 0.7, 1.2) for channel in range(kept)]
    assert min(levels) > 0.1
    assert max(levels) == pytest.approx(min(levels), rel=0.05)


def test_the_same_clip_sounds_the_same_every_time(tmp_path):
    sounds = []
    for run in ("first", "second"):
        folder = tmp_path / run
        folder.mkdir()
        sounds.append(sound_of(dub(folder, source_sound())[1]))
    assert np.array_equal(*sounds)
