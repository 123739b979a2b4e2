import numpy as np
import pytest

from client.contracts import SPEAKER_SAMPLE_RATE_HZ
from orchestrator.pcm import pcm_to_float
from orchestrator.voice.reference import reference_pcm, voice_id

RATE_HZ = 16_000


def tone(seconds: float) -> np.ndarray:
    return (0.5 * np.cos(2 * np.pi * 440 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def test_pieces_are_joined_at_the_engines_rate_and_nothing_clicks():
    sound = pcm_to_float(reference_pcm([tone(1.0), tone(0.5)]))
    assert len(sound) == pytest.approx(1.5 * SPEAKER_SAMPLE_RATE_HZ, abs=2)
    steepest = 0.5 * 2 * np.pi * 440 / SPEAKER_SAMPLE_RATE_HZ  # of the tone itself
    assert np.abs(np.diff(sound)).max() < 1.1 * steepest
    assert abs(sound[0]) < 0.01
    assert abs(sound[-1]) < 0.01
    inside = sound[2000:20_000]
    assert np.sqrt(np.mean(inside**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_the_same_pieces_make_the_same_bytes_and_one_name():
    first, again, other = reference_pcm([tone(1.0)]), reference_pcm([tone(1.0)]), reference_pcm([tone(1.1)])
    assert first == again
    assert voice_id(first) == voice_id(again) != voice_id(other)
    assert len(voice_id(first)) == 16


def test_no_reference_has_no_name():
    assert reference_pcm([]) == b""
    assert voice_id(b"") == ""
