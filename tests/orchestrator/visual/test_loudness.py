import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.settings import VadSettings
from orchestrator.visual.loudness import HOP_S, SAMPLE_RATE_HZ, SpeechLoudness

SETTINGS = VadSettings()


def tone(*levels_s):
    """(amplitude, seconds) one after the other."""
    pieces = []
    for amplitude, seconds in levels_s:
        times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        pieces.append(amplitude * np.sin(2 * np.pi * 300 * times))
    return np.concatenate(pieces).astype(np.float32)


def blocks(samples, size=4000):
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


def test_the_peak_is_1_and_what_lies_35_db_below_it_is_0():
    loudness = SpeechLoudness(blocks(tone((0.5, 1), (0.5 * 10 ** (-17.5 / 20), 1), (0.005, 1), (0.0, 1))), SETTINGS)
    values = loudness.at(np.array([0.5, 1.2, 2.5, 3.5]))
    assert values == pytest.approx([1.0, 0.5, 0.0, 0.0], abs=0.05)


def test_silence_and_what_lies_outside_the_sound_is_0():
    loudness = SpeechLoudness(blocks(tone((0.0, 1))), SETTINGS)
    assert list(loudness.at(np.array([-0.5, 0.5, 1.5]))) == [0.0, 0.0, 0.0]
    assert list(SpeechLoudness(iter(()), SETTINGS).at(np.array([0.0]))) == [0.0]


def test_a_sound_is_found_at_its_time():
    loudness = SpeechLoudness(blocks(tone((0.0, 2), (0.5, 0.5), (0.0, 2))), SETTINGS)
    times = np.arange(0, 4, 0.01)
    loud = times[loudness.at(times) > 0.5]
    assert loud[0] == pytest.approx(2.0, abs=0.03)
    assert loud[-1] == pytest.approx(2.5, abs=0.03)


def test_no_more_is_read_than_is_asked_for_and_none_is_kept_that_was_let_go():
    read = []

    def counted():
        for n in range(1000):
            read.append(n)
            yield tone((0.5, 0.5))

    loudness = SpeechLoudness(counted(), SETTINGS)
    assert read == []
    for second in range(60):
        loudness.at(np.array([second + 0.5]))
        loudness.forget_before(second - 1.0)
        assert len(read) <= 2 * second + 4
        assert len(loudness._loudness) * HOP_S < 4


@given(st.integers(100, 9000), st.integers(0, 99))
def test_the_answer_does_not_depend_on_the_size_of_the_blocks(size, seed):
    random = np.random.default_rng(seed)
    sound = (random.normal(0, 0.1, 9000) * np.repeat(random.random(9), 1000)).astype(np.float32)
    times = np.linspace(0, 0.55, 30)
    whole = SpeechLoudness(iter([sound]), SETTINGS).at(times)
    assert SpeechLoudness(blocks(sound, size), SETTINGS).at(times) == pytest.approx(whole, abs=1e-9)
