"""From a speaker's sound to what the two encoders hear. Pure: numpy and scipy only.

As the original's `wav_to_mel_cloning` (TTS/tts/models/xtts.py) and the speaker encoder's `torch_spec`
(TTS/encoder/models/base_encoder.py) compute it with torchaudio: centred frames, mirrored edges, power spectra,
triangles on the mel scale of HTK.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

Floats = NDArray[np.float32]

REFERENCE_RATE_HZ = 22_050
"""Of SPEAKER_AUDIO, and of what the conditioning encoder hears."""
SPEAKER_RATE_HZ = 16_000
"""Of what the speaker encoder hears."""
CONDITIONING_HOP = 256

_SMALLEST_POWER = 1e-5
_PREEMPHASIS = 0.97

_ORIGIN, _TARGET = 441, 320
"""22050 : 16000 in lowest terms."""
_ZERO_CROSSINGS = 6
_ROLLOFF = 0.99
"""Both torchaudio.functional.resample's defaults."""


def conditioning_mel(audio: Floats) -> Floats:
    """Return natural logarithms of mel powers [80, 1 + n // 256] of 22.05 kHz `audio` [n], n > 1024.

    Hann windows of 1024 samples in frames of 2048, every 256; 80 bands of equal area over 0..8 kHz.
    """
    filters = _filters(REFERENCE_RATE_HZ, 2048, 80, 8000.0, equal_area=True)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    power = _mel_power(audio, window, 2048, CONDITIONING_HOP, filters)
    return np.log(np.maximum(power, _SMALLEST_POWER)).astype(np.float32)


def speaker_mel(audio: Floats) -> Floats:
    """Return mel powers [64, 1 + n // 160] of 16 kHz `audio` [n], n > 256, pre-emphasised.

    Hamming windows of 400 samples in frames of 512, every 160; 64 bands of equal height over 0..8 kHz.
    """
    before = np.concatenate([audio[1:2], audio[:-1]])  # the edge is mirrored: before the first comes the second sample
    emphasised = audio - np.float32(_PREEMPHASIS) * before
    filters = _filters(SPEAKER_RATE_HZ, 512, 64, SPEAKER_RATE_HZ / 2, equal_area=False)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    return _mel_power(emphasised, window, 512, 160, filters).astype(np.float32)


def to_16k(audio: Floats) -> Floats:
    """Resample 22.05 kHz `audio` [n] to 16 kHz, [ceil(n * 320 / 441)].

    Sinc interpolation in a Hann window over six zero crossings: torchaudio.functional.resample's default, which the
    speaker encoder's sound went through in training.
    """
    kernel, reach = _sinc_kernel()
    padded = np.pad(audio, (reach, reach + _ORIGIN))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[1])[::_ORIGIN]
    resampled: Floats = (blocks @ kernel.T).reshape(-1)[: -(-len(audio) * _TARGET // _ORIGIN)]
    return resampled


@lru_cache(maxsize=1)
def _sinc_kernel() -> tuple[Floats, int]:
    """Return one filter for each of the 320 phases [320, 441 + 2 * reach], and the reach in samples."""
    cutoff = min(_ORIGIN, _TARGET) * _ROLLOFF
    reach = int(np.ceil(_ZERO_CROSSINGS * _ORIGIN / cutoff))
    places = np.arange(-reach, reach + _ORIGIN) / _ORIGIN - np.arange(_TARGET)[:, None] / _TARGET
    times = np.clip(places * cutoff, -_ZERO_CROSSINGS, _ZERO_CROSSINGS)
    kernel = np.sinc(times) * np.cos(times * np.pi / (2 * _ZERO_CROSSINGS)) ** 2 * (cutoff / _ORIGIN)
    return kernel.astype(np.float32), reach


def _mel_power(
    audio: Floats, window: NDArray[np.float64], n_fft: int, hop: int, filters: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[n] -> [bands, 1 + n // hop]; the window stands in the middle of each frame."""
    margin = (n_fft - len(window)) // 2
    whole = np.pad(window, (margin, n_fft - len(window) - margin))
    mirrored = np.pad(audio.astype(np.float64), n_fft // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(mirrored, n_fft)[::hop]
    spectrum = rfft(frames * whole, axis=1)
    return filters @ (spectrum.real**2 + spectrum.imag**2).T


@lru_cache(maxsize=2)
def _filters(rate_hz: int, n_fft: int, bands: int, top_hz: float, *, equal_area: bool) -> NDArray[np.float64]:
    """Return triangles [bands, n_fft // 2 + 1] whose corners are evenly spaced on HTK's mel scale from 0 to top_hz."""
    corners_hz = 700.0 * (10.0 ** (np.linspace(0.0, _mel(top_hz), bands + 2) / 2595.0) - 1.0)
    bins_hz = np.linspace(0.0, rate_hz / 2, n_fft // 2 + 1)
    widths = np.diff(corners_hz)
    distances = corners_hz[:, None] - bins_hz
    rising = -distances[:-2] / widths[:-1, None]
    falling = distances[2:] / widths[1:, None]
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    if equal_area:
        filters *= (2.0 / (corners_hz[2:] - corners_hz[:-2]))[:, None]
    filters.setflags(write=False)
    return filters


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))
