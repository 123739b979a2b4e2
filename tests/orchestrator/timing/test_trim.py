import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.timing.trim import MARGIN_S, trim_silence

RATE_HZ = 24_000


def tone(seconds):
    return (0.4 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


@given(st.floats(0, 0.5), st.floats(0.05, 0.5), st.floats(0, 0.5))
@settings(max_examples=40, deadline=None)
def test_silence_goes_and_every_sample_of_the_speech_stays(before_s, speech_s, after_s):
    quiet = [np.zeros(round(seconds * RATE_HZ), np.float32) for seconds in (before_s, after_s)]
    trimmed = trim_silence(np.concatenate([quiet[0], tone(speech_s), quiet[1]]), RATE_HZ)
    assert np.abs(trimmed).sum() == pytest.approx(np.abs(tone(speech_s)).sum(), rel=1e-3)
    assert len(trimmed) <= len(tone(speech_s)) + (2 * MARGIN_S + 0.011) * RATE_HZ


def test_noise_far_below_the_speech_counts_as_silence():
    noise = np.random.default_rng(1).normal(0, 2e-4, RATE_HZ // 2).astype(np.float32)
    assert len(trim_silence(np.concatenate([noise, tone(0.2), noise]), RATE_HZ)) < 0.24 * RATE_HZ


@pytest.mark.parametrize("length", [0, 1, 1000])
def test_no_sound_at_all_leaves_nothing(length):
    assert len(trim_silence(np.zeros(length, np.float32), RATE_HZ)) == 0
