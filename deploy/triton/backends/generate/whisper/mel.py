"""The log-mel spectrogram that Whisper was trained on. Pure: numpy and scipy only.

As openai-whisper's audio.py computes it (`log_mel_spectrogram` of a recording padded with silence to the window):
400-sample periodic Hann windows every 160 samples, centred, the edges mirrored; power; triangular mel filters of equal
area (Slaney's scale); log10, at most 8 below the window's loudest value, then (x + 4) / 4.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

SAMPLE_RATE_HZ = 16_000
FRAMES_PER_S = 100
HOP = SAMPLE_RATE_HZ // FRAMES_PER_S
N_FFT = 400

_SMALLEST_POWER = 1e-10
_RANGE = 8.0
"""Decades kept below the loudest value: 80 dB."""

_LINEAR_HZ_PER_MEL = 200.0 / 3
_LOG_FROM_HZ = 1000.0
_LOG_FROM_MEL = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0
"""Slaney's Auditory Toolbox: linear below 1 kHz, above it 27 mels for each factor of 6.4."""


def log_mel(audio: NDArray[np.float32], n_mels: int, frames: int) -> NDArray[np.float32]:
    """Return the spectrogram [n_mels, frames] of `audio` ([n], 16 kHz) and silence behind it.

    `audio` must fit into `frames` (HOP samples each), of which there must be 3: mirrored edges are 200 samples long.
    """
    return _compressed(np.log10(np.maximum(mel_power(audio, n_mels, frames), _SMALLEST_POWER)))


def mel_power(audio: NDArray[np.float32], n_mels: int, frames: int) -> NDArray[np.float64]:
    """Return the power in each mel band [n_mels, frames]; see `log_mel`."""
    if len(audio) > frames * HOP:
        raise ValueError(f"{len(audio)} samples do not fit into {frames} frames")
    # Frames that lie wholly behind the audio hold exactly nothing, so only the others are computed.
    sounding = min(frames, -(-(len(audio) + N_FFT // 2) // HOP))
    padded = np.pad(audio.astype(np.float64), (0, frames * HOP - len(audio)))
    mirrored = np.pad(padded, N_FFT // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, N_FFT)[::HOP][:sounding]
    spectrum = rfft(windows * _hann(), axis=1)
    power = np.zeros((n_mels, frames))
    power[:, :sounding] = mel_filters(n_mels) @ (spectrum.real**2 + spectrum.imag**2).T
    return power


@lru_cache(maxsize=4)
def mel_filters(n_mels: int) -> NDArray[np.float64]:
    """Return the filter bank [n_mels, 201] over 0..8 kHz: triangles on Slaney's mel scale, each of area 2 / width."""
    edges_hz = _hz(np.linspace(0.0, _mel(SAMPLE_RATE_HZ / 2), n_mels + 2))
    bins_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, N_FFT // 2 + 1)
    widths = np.diff(edges_hz)
    from_edges = edges_hz[:, np.newaxis] - bins_hz
    rising = -from_edges[:-2] / widths[:-1, np.newaxis]
    falling = from_edges[2:] / widths[1:, np.newaxis]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters = triangles * (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, np.newaxis]
    filters.setflags(write=False)
    return filters


def _compressed(logarithms: NDArray[np.float64]) -> NDArray[np.float32]:
    kept = np.maximum(logarithms, logarithms.max() - _RANGE)
    compressed: NDArray[np.float32] = ((kept + 4.0) / 4.0).astype(np.float32)
    return compressed


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(N_FFT) / N_FFT)


def _mel(hz: float) -> float:
    if hz < _LOG_FROM_HZ:
        return hz / _LINEAR_HZ_PER_MEL
    return float(_LOG_FROM_MEL + np.log(hz / _LOG_FROM_HZ) / _LOG_STEP)


def _hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _LOG_FROM_HZ * np.exp(_LOG_STEP * (mels - _LOG_FROM_MEL))
    return np.where(mels < _LOG_FROM_MEL, mels * _LINEAR_HZ_PER_MEL, above)
