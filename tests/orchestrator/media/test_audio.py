from dataclasses import replace

import numpy as np
import pytest

from orchestrator.errors import NoAudioTrack
from orchestrator.media.audio import read_audio, read_sound
from orchestrator.media.probe import probe
from orchestrator.settings import MediaSettings
from tests.media_factory import Burst, make_clip

SETTINGS = MediaSettings()
BURSTS = [Burst(0.3), Burst(0.7, frequency_hz=500)]


def onsets_s(samples, rate):
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    breaks = np.flatnonzero(np.diff(loud) > 0.05 * rate)
    return [loud[0] / rate, *(loud[breaks + 1] / rate)]


def heard(path, rate=16_000):
    clip = probe(path, SETTINGS)
    blocks = list(read_audio(path, clip, rate))
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
    samples = np.concatenate(blocks)
    assert len(samples) == round(clip.duration_s * rate)
    return samples


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.mp4", {}),
        ("telephone.mp4", {"sample_rate": 8_000}),
        ("cinema.mp4", {"channels": 6}),
        ("stereo.mp4", {"channels": 2, "sample_rate": 44_100}),
        ("browser.webm", {"video_codec": "libvpx-vp9", "audio_codec": "libopus"}),
        ("broadcast.ts", {}),
        ("matroska.mkv", {"audio_codec": "pcm_s16le", "channels": 2}),
        ("camera.avi", {"video_codec": "mpeg4", "audio_codec": "pcm_s16le"}),
    ],
)
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_every_sound_starts_at_its_sample(tmp_path, name, options, rate):
    samples = heard(make_clip(tmp_path / name, bursts=BURSTS, **options), rate)
    assert onsets_s(samples, rate) == pytest.approx([0.3, 0.7], abs=0.001)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_speech_keeps_its_level_and_never_clips(tmp_path, channels):
    path = make_clip(tmp_path / "clip.mkv", bursts=[Burst(0.2, 0.4)], channels=channels, audio_codec="pcm_s16le")
    level = np.sqrt(np.mean(heard(path)[4_000:9_000] ** 2)) / (0.5 / np.sqrt(2))
    assert 0.65 < level < 1.05
    assert np.abs(heard(path)).max() <= 1


@pytest.mark.parametrize("offset_s", [-0.2, 0.15])
def test_sound_is_moved_to_the_clock_of_the_pictures(tmp_path, offset_s):
    path = make_clip(tmp_path / "clip.mp4", bursts=BURSTS, audio_offset_s=offset_s)
    assert onsets_s(heard(path), 16_000) == pytest.approx([0.3 + offset_s, 0.7 + offset_s], abs=0.001)


def test_a_hole_in_the_sound_is_silence_and_what_follows_keeps_its_time(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", bursts=[Burst(0.1, 0.8)], audio_gap_s=(0.4, 0.6))
    samples = heard(path)
    assert np.abs(samples[round(0.46 * 16_000) : round(0.58 * 16_000)]).max() < 0.01
    assert np.abs(samples[round(0.65 * 16_000) : round(0.88 * 16_000)]).max() > 0.4
    assert np.abs(samples[round(0.92 * 16_000) :]).max() < 0.05


def test_blocks_have_the_length_that_was_asked_for(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", duration_s=1.2)
    clip = probe(path, SETTINGS)
    assert [len(block) for block in read_audio(path, clip, 16_000, block_s=0.5)] == [8_000, 8_000, 3_200]


def test_sound_that_ends_early_is_filled_up_and_that_ends_late_is_cut(tmp_path):
    short = make_clip(tmp_path / "short.mp4", duration_s=1, samples=np.full(24_000, 0.1, np.float32))
    late = make_clip(tmp_path / "late.mp4", duration_s=1, samples=np.full(96_000, 0.1, np.float32))
    assert np.abs(heard(short)[8_400:]).max() < 0.001
    assert heard(late)[-100:].min() > 0.05


def test_silence_is_read_as_silence(tmp_path):
    assert not heard(make_clip(tmp_path / "clip.mp4")).any()


def test_a_clip_of_one_frame_has_its_sound(tmp_path):
    assert len(heard(make_clip(tmp_path / "clip.mp4", duration_s=0.04))) == 640


def test_a_timestamp_far_in_the_future_costs_no_more_than_the_clip_is_long(tmp_path):
    path = make_clip(tmp_path / "clip.mkv", audio_codec="pcm_s16le", bursts=BURSTS)
    clip = replace(probe(path, SETTINGS), audio_offset_s=1e7)
    assert not np.concatenate(list(read_audio(path, clip, 16_000))).any()


def test_stereo_can_be_kept(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", channels=2, bursts=BURSTS)
    blocks = list(read_sound(path, probe(path, SETTINGS), 48_000, channels=2))
    assert [block.shape for block in blocks] == [(2, 24_000), (2, 24_000)]


def test_a_clip_without_sound_is_refused(tmp_path):
    silent, sounding = make_clip(tmp_path / "a.mp4", audio=False), make_clip(tmp_path / "b.mp4")
    with pytest.raises(NoAudioTrack):
        list(read_audio(silent, probe(sounding, SETTINGS), 16_000))
