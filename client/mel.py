"""The mel spectrogram that a lips engine asks for.

The recipe is the one that the published Wav2Lip weights were trained with (Rudrabha/Wav2Lip: `audio.py`, `hparams.py`,
with its pinned librosa 0.7.0): pre-emphasis, a centred Hann STFT **padded by reflection** (the default of
librosa.stft until 0.9), magnitude, Slaney-normed mel filters, 20 log10, minus the reference level, scaled symmetrically
and clipped. One column every `hop_length` samples; column c is centred on sample c * hop_length.

The filters come from librosa, imported on first use (0.8 s); the STFT is written out with numpy, because the first
call of librosa.stft on a fresh machine makes numba compile for more than ten seconds, in the middle of a clip.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from client.contracts import Float32Array, MelSpec

_SAMPLE_TOLERANCE = 1e-6
"""Of a column, when times become columns: 3 / 25 * 80 must not fall below a whole number by rounding."""


def mel_spectrogram(audio: Float32Array, spec: MelSpec) -> Float32Array:
    """Compute the normalised mel of mono `audio` [n] at spec.sample_rate_hz, -1..1.

    Returns float32 [n_mels, 1 + n // hop_length] in -max_abs_value..+max_abs_value; no columns for no samples.
    Digital silence gives exactly -max_abs_value. Audio too short to be reflected (n <= n_fft / 2) is continued by
    zeros first.
    """
    if audio.ndim != 1:
        raise ValueError(f"audio must have one axis, got {audio.shape}")
    if audio.size == 0:
        return np.empty((spec.n_mels, 0), np.float32)
    columns = 1 + audio.size // spec.hop_length
    magnitudes = _stft_magnitudes(_emphasised(audio, spec), spec)[:columns]
    amplitudes = _filter_bank(spec) @ magnitudes.T
    decibels = 20.0 * np.log10(np.maximum(10.0 ** (spec.min_level_db / 20.0), amplitudes)) - spec.ref_level_db
    limit = spec.max_abs_value
    scaled = 2.0 * limit * (decibels - spec.min_level_db) / -spec.min_level_db - limit
    mel: Float32Array = np.clip(scaled, -limit, limit).astype(np.float32)
    return mel


def mel_windows(audio: Float32Array, spec: MelSpec, times_s: Sequence[float]) -> Float32Array:
    """Cut one window per time: window i starts at column int(steps_per_s * times_s[i]), times counted from audio[0].

    Returns float32 [len(times_s), n_mels, steps]. Columns before the first or after the last one are digital silence.
    """
    mel = mel_spectrogram(audio, spec)
    windows = np.full((len(times_s), spec.n_mels, spec.steps), -spec.max_abs_value, np.float32)
    for window, time_s in zip(windows, times_s, strict=True):
        first = column_at(time_s, spec)
        source = slice(max(first, 0), max(min(first + spec.steps, mel.shape[1]), 0))
        if source.start < source.stop:
            window[:, source.start - first : source.stop - first] = mel[:, source]
    return windows


def column_at(time_s: float, spec: MelSpec) -> int:
    """Return the column in which a window that belongs to this time starts."""
    return math.floor(spec.steps_per_s * time_s + _SAMPLE_TOLERANCE)


def margin_s(spec: MelSpec) -> float:
    """Audio needed before the earliest and after the latest window start, so that a slice gives what the whole gives.

    A whole number of hops: the length of a window plus half an FFT (and the one sample that pre-emphasis looks back).
    """
    half_fft_hops = math.ceil((spec.n_fft // 2 + 1) / spec.hop_length)
    return (spec.steps + half_fft_hops) / spec.steps_per_s


def slice_for(first_s: float, last_s: float, spec: MelSpec) -> tuple[int, int]:
    """Return the samples [start, stop) to hand to `mel_windows` for window starts between the two times.

    `start` is a multiple of the hop, which keeps the columns of the slice on those of the whole: the times to pass with
    the slice are the original ones minus start / sample_rate_hz. `stop` may lie beyond the end of the audio.
    """
    margin_hops = round(margin_s(spec) * spec.steps_per_s)
    start = max(column_at(first_s, spec) - margin_hops, 0)
    stop = column_at(last_s, spec) + margin_hops + 1
    return start * spec.hop_length, max(stop, start) * spec.hop_length


def _emphasised(audio: Float32Array, spec: MelSpec) -> NDArray[np.float64]:
    emphasised = audio.astype(np.float64)
    emphasised[1:] -= spec.preemphasis * emphasised[:-1]
    return emphasised


def _stft_magnitudes(audio: NDArray[np.float64], spec: MelSpec) -> NDArray[np.float64]:
    """Shape [columns, 1 + n_fft // 2]."""
    half = spec.n_fft // 2
    if audio.size <= half:
        audio = np.pad(audio, (0, half + 1 - audio.size))
    frames = sliding_window_view(np.pad(audio, half, mode="reflect"), spec.n_fft)[:: spec.hop_length]
    magnitudes: NDArray[np.float64] = np.abs(np.fft.rfft(frames * _window(spec), axis=1))
    return magnitudes


@cache
def _window(spec: MelSpec) -> NDArray[np.float64]:
    """Periodic Hann window of win_length, zero-padded on both sides to n_fft."""
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(spec.win_length) / spec.win_length)
    left = (spec.n_fft - spec.win_length) // 2
    return np.pad(hann, (left, spec.n_fft - spec.win_length - left))


@cache
def _filter_bank(spec: MelSpec) -> NDArray[np.float64]:
    """Shape [n_mels, 1 + n_fft // 2]."""
    from librosa.filters import mel  # 0.8 s: only the process that moves lips pays for it

    filters: NDArray[np.float64] = mel(
        sr=spec.sample_rate_hz, n_fft=spec.n_fft, n_mels=spec.n_mels, fmin=spec.fmin_hz, fmax=spec.fmax_hz
    ).astype(np.float64)
    return filters
