import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.visual.av_offset import NATURAL_LAG_S, STEP_S, Material, find_offset

SECONDS = 16.0
FPS = 25


def syllables(seed, seconds=SECONDS):
    """Loudness of speech, every STEP_S: bursts and pauses of random length."""
    random = np.random.default_rng(seed)
    loudness = np.zeros(round(seconds / STEP_S))
    at_s = 0.3
    while at_s < seconds:
        length_s = random.uniform(0.12, 0.35)
        first, last = round(at_s / STEP_S), round((at_s + length_s) / STEP_S)
        loudness[first:last] = random.uniform(0.4, 1.0) * np.hanning(last - first)[: len(loudness) - first]
        at_s += length_s + random.choice([0.03, 0.1, 0.6], p=[0.5, 0.35, 0.15])
    return loudness


def mouth(loudness, late_s=0.0, noise=0.3, seed=0):
    """A mouth that moves with the loudness; the sound then comes `late_s` late."""
    random = np.random.default_rng(seed)
    times_s = (np.arange(round(SECONDS * FPS)) + 0.5) / FPS
    grid_s = np.arange(len(loudness)) * STEP_S
    moved = np.interp(times_s + late_s + NATURAL_LAG_S, grid_s, loudness)
    return Material(times_s, moved + noise * random.normal(size=len(times_s)))


@given(st.floats(-0.5, 0.5), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_an_offset_is_found_to_a_hundredth_of_a_second_or_so(late_s, seed):
    loudness = syllables(seed)
    found = find_offset(mouth(loudness, late_s, seed=seed), loudness)
    assert found.believed
    assert found.offset_s == pytest.approx(late_s, abs=0.03)


@pytest.mark.parametrize("seed", range(20))
def test_a_mouth_that_says_something_else_is_not_believed(seed):
    found = find_offset(mouth(syllables(seed)), syllables(seed + 1000))
    assert not found.believed


def test_a_mouth_that_keeps_still_is_not_believed():
    loudness = syllables(1)
    found = find_offset(mouth(np.zeros_like(loudness), noise=0.05), loudness)
    assert not found.believed


@pytest.mark.parametrize("loudness", [np.zeros(0), np.zeros(1600), syllables(1)[:300]], ids=["none", "silent", "short"])
def test_too_little_speech_says_nothing(loudness):
    assert find_offset(mouth(syllables(1)), loudness) is None


def test_too_few_frames_say_nothing():
    assert find_offset(Material(np.zeros(0), np.zeros(0)), syllables(1)) is None
