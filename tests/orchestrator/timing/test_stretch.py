import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.timing.stretch import stretch

RATES = st.floats(0.5, 2.0).filter(lambda rate: rate != 1)
SAMPLE_RATES = st.sampled_from([16_000, 22_050, 24_000, 48_000])


def tone(frequency_hz: float, duration_s: float, sample_rate_hz: int) -> np.ndarray:
    clock_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * clock_s)).astype(np.float32)


def peak_hz(samples: np.ndarray, sample_rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 17))
    return float(np.argmax(spectrum) * sample_rate_hz / (1 << 17))


@given(rate=RATES, sample_rate_hz=SAMPLE_RATES, length=st.integers(1, 60_000))
@settings(max_examples=40, deadline=None)
def test_the_result_is_as_long_as_the_rate_says(rate, sample_rate_hz, length):
    samples = np.full(length, 0.1, np.float32)
    stretched = stretch(samples, sample_rate_hz, rate)
    assert len(stretched) == round(length / rate)
    assert stretched.dtype == np.float32


@given(rate=RATES, frequency_hz=st.floats(150, 2000), sample_rate_hz=SAMPLE_RATES)
@settings(max_examples=25, deadline=None)
def test_the_pitch_is_kept(rate, frequency_hz, sample_rate_hz):
    stretched = stretch(tone(frequency_hz, 1.5, sample_rate_hz), sample_rate_hz, rate)
    assert peak_hz(stretched, sample_rate_hz) == pytest.approx(frequency_hz, rel=0.01)


@given(rate=st.floats(0.7, 1.6).filter(lambda rate: rate != 1), start_s=st.floats(0.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_an_onset_keeps_its_place_on_the_new_clock(rate, start_s):
    sample_rate_hz = 24_000
    quiet = np.zeros(round(start_s * sample_rate_hz), np.float32)
    samples = np.concatenate([quiet, tone(300, 0.4, sample_rate_hz), np.zeros(sample_rate_hz // 2, np.float32)])
    stretched = stretch(samples, sample_rate_hz, rate)
    onset = np.flatnonzero(np.abs(stretched) > 0.1)[0]
    assert abs(onset / sample_rate_hz - start_s / rate) < (0.015 if rate > 1 else 0.025)


def test_the_last_sound_is_not_lost():
    sample_rate_hz = 24_000
    samples = np.concatenate([np.zeros(sample_rate_hz, np.float32), tone(500, 0.2, sample_rate_hz)])
    stretched = stretch(samples, sample_rate_hz, 1.4)
    loud_s = np.count_nonzero(np.abs(stretched) > 0.05) / sample_rate_hz
    assert loud_s == pytest.approx(0.2 / 1.4, abs=0.02)


def test_a_rate_of_one_returns_the_same_samples_in_memory_of_their_own():
    samples = tone(440, 0.1, 24_000)
    stretched = stretch(samples, 24_000, 1.0)
    assert np.array_equal(stretched, samples)
    assert not np.shares_memory(stretched, samples)


def test_nothing_stays_nothing():
    assert len(stretch(np.zeros(0, np.float32), 24_000, 1.3)) == 0


@pytest.mark.parametrize("rate", [0.49, 0.0, -1.0, float("nan")])
def test_a_rate_below_half_is_refused(rate):
    with pytest.raises(ValueError, match="below"):
        stretch(np.zeros(10, np.float32), 24_000, rate)


@pytest.mark.parametrize("rate", [2.5, 5.0])
def test_very_long_speech_is_squeezed_in_several_passes_with_its_pitch(rate):
    stretched = stretch(tone(440, 6.0, 24_000), 24_000, rate)
    assert len(stretched) == pytest.approx(6.0 * 24_000 / rate, abs=3)
    assert peak_hz(stretched, 24_000) == pytest.approx(440, rel=0.01)
