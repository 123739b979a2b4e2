import math
from itertools import pairwise

import numpy as np
import pytest

from orchestrator.media.loudness import PeakLimiter, measure

RATE_HZ = 48_000
CEILING_DBTP = -2.0


def tone(seconds, frequency_hz=997.0, amplitude=0.1, rate_hz=RATE_HZ):
    clock = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * frequency_hz * clock)).astype(np.float32)


def faded(sound):
    """A hard edge is itself a peak between samples."""
    ramp = np.minimum(1.0, np.arange(len(sound)) / 2000).astype(np.float32)
    return sound * ramp * ramp[::-1]


def limited(sound, pieces=(), ceiling_dbtp=CEILING_DBTP):
    limiter = PeakLimiter(RATE_HZ, sound.shape[0], ceiling_dbtp)
    edges = [0, *pieces, sound.shape[1]]
    out = [limiter.push(sound[:, start:end]) for start, end in pairwise(edges)]
    return np.concatenate([*out, limiter.finish()], axis=1), limiter


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_a_tone_has_the_loudness_that_the_standard_gives_it(rate_hz):
    """ITU-R BS.1770-4: a sine of 997 Hz at full scale in one channel reads -3.01 LKFS."""
    found = measure(tone(3.0, amplitude=0.1, rate_hz=rate_hz), rate_hz)
    assert found.lufs == pytest.approx(-23.01, abs=0.1)
    assert found.true_peak_dbtp == pytest.approx(-20.0, abs=0.1)


def test_short_sound_has_a_loudness_too():
    assert measure(tone(0.05), RATE_HZ).lufs == pytest.approx(-23.0, abs=1.0)


@pytest.mark.parametrize("sound", [np.zeros(0, np.float32), np.zeros(RATE_HZ, np.float32)], ids=["none", "zeros"])
def test_silence_has_no_loudness(sound):
    assert measure(sound, RATE_HZ) == (None, -math.inf)


def test_a_peak_between_two_samples_is_found():
    """At a quarter of the rate and 45 degrees the samples are all at 0.707 of the peak."""
    clock = np.arange(RATE_HZ)
    sound = faded(np.sin(2 * np.pi * clock / 4 + np.pi / 4).astype(np.float32))
    assert np.abs(sound).max() == pytest.approx(math.sqrt(0.5), abs=0.01)
    assert measure(sound, RATE_HZ).true_peak_dbtp == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize("channels", [1, 2])
def test_quiet_sound_passes_the_limiter_as_it_is_and_on_time(channels):
    sound = np.stack([tone(2.0, 440.0), tone(2.0, 660.0)])[:channels]
    out, _ = limited(sound, pieces=(1, 1000, 1000, 50_000))
    assert out.shape == sound.shape
    assert np.abs(out - sound)[:, 200:-200].max() < 1e-4


def test_loud_sound_keeps_below_the_ceiling():
    random = np.random.default_rng(1)
    voice = np.cumsum(random.normal(0.0, 1.0, RATE_HZ * 4))  # more of the low, as in speech
    voice -= np.convolve(voice, np.full(2000, 1 / 2000), mode="same")
    sound = faded((4.0 * voice / np.abs(voice).max()).astype(np.float32))[None]
    out, limiter = limited(sound)
    assert np.abs(out).max() < 1.0
    assert limiter.loudness.true_peak_dbtp <= CEILING_DBTP + 0.2
    assert measure(out[0], RATE_HZ).true_peak_dbtp <= CEILING_DBTP + 0.2


def test_what_comes_out_does_not_depend_on_how_the_stream_was_cut():
    sound = np.stack([tone(1.5, 300.0, 2.0), tone(1.5, 500.0, 0.5)])
    whole, _ = limited(sound)
    cut, _ = limited(sound, pieces=(7, 5_000, 30_000))
    assert np.abs(whole - cut).max() < 1e-6


def test_a_stream_of_nothing_ends_with_nothing():
    out, limiter = limited(np.zeros((1, 0), np.float32))
    assert out.shape == (1, 0)
    assert limiter.loudness.lufs is None
