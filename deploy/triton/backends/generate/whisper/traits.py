"""What tells speech from music and noise: eleven numbers for each 1.5 s of sound. Pure: numpy and scipy only.

Speech changes its spectral envelope several times a second, is now voiced, now not, and its pitch never stands still;
notes stand still, noise has no pitch and an even envelope. Every trait is taken of the sounding frames only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from .mel import SAMPLE_RATE_HZ

WINDOW = 1024
"""64 ms: long enough to tell the harmonics of a low voice apart."""
HOP = 320
"""20 ms."""
STRETCH_FRAMES = 75
STRETCH_STEP_FRAMES = 25
"""Traits are of 1.5 s, every 0.5 s."""

AUDIBLE_DBFS = -60.0
BELOW_LOUDEST_DB = 35.0
"""Frames below either are silence: the figures that the project's segmenter uses too."""

_FEWEST_FRAMES = 10
"""200 ms of sound: less has no traits."""
_BANDS = 20
_BANDS_HZ = (80.0, 7600.0)
_LOW_BIN, _MIDDLE_BIN = 6, 257
"""94 Hz and 4 kHz, in bins of 15.6 Hz."""
_SMOOTHING_BINS = 25
"""390 Hz: wider than the distance of a voice's harmonics, narrower than its formants."""
_PEAK_LIMIT = 8.0
_LAGS = slice(40, 232)
"""Samples: pitches of 400 to 69 Hz."""
_VOICED_ABOVE = 0.4
_SAME_PITCH_OCTAVES = 0.02
_TINY = 1e-10


@dataclass(frozen=True, slots=True)
class Track:
    """A recording frame by frame, [frames] unless said otherwise."""

    level_db: NDArray[np.float64]
    """RMS of the frame's middle half, dB of full scale."""
    envelope_db: NDArray[np.float64]
    """[frames, 20]: level of each band, the frame's mean taken off."""
    fine: NDArray[np.float64]
    """[frames, 251]: logarithmic spectrum 94..4000 Hz without its envelope, of length 1."""
    periodicity: NDArray[np.float64]
    """Highest peak of the autocorrelation at a pitch's lag, 1 = periodic."""
    whitened_periodicity: NDArray[np.float64]
    """The same of the spectrum below 4 kHz without its envelope: coloured noise has none of it."""
    pitch_octaves: NDArray[np.float64]
    """log2 of the pitch in Hz, of the whitened spectrum."""
    brightness: NDArray[np.float64]
    """Root of the energy's share above 4 kHz."""

    def sounding(self) -> NDArray[np.bool_]:
        """Which frames are no silence."""
        return self.level_db > max(AUDIBLE_DBFS, float(self.level_db.max()) - BELOW_LOUDEST_DB)


def track(audio: NDArray[np.float32]) -> Track:
    """Measure `audio` ([n], 16 kHz), at least one frame of it."""
    samples = np.pad(audio.astype(np.float64), (0, max(0, WINDOW - len(audio))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectrum = rfft(frames * _hann(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    bands_db = 10 * np.log10(power @ _bands().T + _TINY * WINDOW)
    middle = power[:, :_MIDDLE_BIN]
    logarithms = np.log(middle[:, _LOW_BIN:] + _TINY)
    fine = logarithms - _smoothed(logarithms)
    white = np.minimum(middle / (_smoothed(middle) + _TINY), _PEAK_LIMIT)
    white[:, : _LOW_BIN - 1] = 0.0
    of_white = _autocorrelation(np.pad(white, ((0, 0), (0, power.shape[1] - _MIDDLE_BIN))))
    return Track(
        level_db=10 * np.log10(frames[:, WINDOW // 4 : 3 * WINDOW // 4].var(axis=1) + 1e-12),
        envelope_db=bands_db - bands_db.mean(axis=1, keepdims=True),
        fine=fine / (np.linalg.norm(fine, axis=1, keepdims=True) + _TINY),
        periodicity=_autocorrelation(power).max(axis=1),
        whitened_periodicity=of_white.max(axis=1),
        pitch_octaves=np.log2(SAMPLE_RATE_HZ / (of_white.argmax(axis=1) + _LAGS.start)),
        brightness=np.sqrt(power[:, _MIDDLE_BIN:].sum(axis=1) / (power.sum(axis=1) + _TINY)),
    )


def traits(audio: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the traits [stretches, 11] of each stretch with 200 ms of sound or more, ordered as voice.WEIGHTS."""
    measured = track(audio)
    sounding = measured.sounding()
    starts = range(0, max(1, len(sounding) - STRETCH_FRAMES + STRETCH_STEP_FRAMES), STRETCH_STEP_FRAMES)
    stretches = [slice(start, start + STRETCH_FRAMES) for start in starts]
    rows = [_traits(measured, at, sounding[at]) for at in stretches if sounding[at].sum() >= _FEWEST_FRAMES]
    return np.array(rows).reshape(len(rows), 11)


def _traits(measured: Track, at: slice, sounding: NDArray[np.bool_]) -> list[float]:
    level, envelope = measured.level_db[at], measured.envelope_db[at]
    fine, white = measured.fine[at], measured.whitened_periodicity[at]
    periodicity, pitch, brightness = measured.periodicity[at], measured.pitch_octaves[at], measured.brightness[at]
    near, middle, far = (sounding[lag:] & sounding[:-lag] for lag in (3, 5, 10))
    voiced = sounding & (white > _VOICED_ABOVE)
    held = voiced[5:] & voiced[:-5] & (np.abs(pitch[5:] - pitch[:-5]) < _SAME_PITCH_OCTAVES)
    return [
        _mean(np.abs(envelope[3:] - envelope[:-3]).mean(axis=1), near),  # change of the envelope in 60 ms, dB
        float(envelope[sounding].std(axis=0).mean()),  # spread of the envelope, dB
        _mean((fine[10:] * fine[:-10]).sum(axis=1), far),  # likeness of the harmonics 200 ms apart
        float(white[sounding].mean()),
        float(held.sum() / max(1, middle.sum())),  # share of frames whose pitch is the same 100 ms later
        float(level[sounding].std()),
        float(white[sounding].std()),
        float(periodicity[sounding].mean()),
        float(periodicity[sounding].std()),
        float(brightness[sounding].std()),
        _mean(np.abs(level[3:] - level[:-3]), near),  # change of the level in 60 ms, dB
    ]


def _mean(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> float:
    return float(values[chosen].mean()) if chosen.any() else 0.0


def _autocorrelation(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the autocorrelation [frames, lags] at pitch lags, 1 at lag 0, what the window takes away given back."""
    values = irfft(power, axis=1)[:, : _LAGS.stop]
    relative: NDArray[np.float64] = values[:, _LAGS] / (values[:, :1] + 1e-12) / _window_autocorrelation()[_LAGS]
    return relative


def _smoothed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the running mean along the second axis."""
    half = _SMOOTHING_BINS // 2
    sums = np.cumsum(np.pad(rows, ((0, 0), (half + 1, half)), mode="edge"), axis=1)
    means: NDArray[np.float64] = (sums[:, _SMOOTHING_BINS:] - sums[:, :-_SMOOTHING_BINS]) / _SMOOTHING_BINS
    return means


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)


@lru_cache(maxsize=1)
def _window_autocorrelation() -> NDArray[np.float64]:
    values: NDArray[np.float64] = irfft(np.abs(rfft(_hann(), 2 * WINDOW)) ** 2)[: _LAGS.stop]
    return values / values[0]


@lru_cache(maxsize=1)
def _bands() -> NDArray[np.float64]:
    """Return overlapping triangles [20, 513], evenly spaced on O'Shaughnessy's mel scale."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in _BANDS_HZ)
    edges_hz = 700 * (10 ** (np.linspace(low, high, _BANDS + 2) / 2595) - 1)
    bins_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, WINDOW // 2 + 1)
    widths = np.diff(edges_hz)
    rising = (bins_hz - edges_hz[:-2, np.newaxis]) / widths[:-1, np.newaxis]
    falling = (edges_hz[2:, np.newaxis] - bins_hz) / widths[1:, np.newaxis]
    return np.maximum(0.0, np.minimum(rising, falling))
