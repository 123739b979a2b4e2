"""The engine's mel against a reference by scipy and librosa, written out as the published inference computes it.

The STFT is scipy's: the first call of librosa's on a fresh machine makes numba compile for a quarter of a minute.
"""

from fractions import Fraction

import numpy as np
import pytest
from librosa.filters import mel as mel_filters
from scipy.signal import lfilter, stft

from client.contracts import MelSpec
from client.mel import mel_spectrogram, mel_windows

SPEC = MelSpec()
MEL_COLUMNS_PER_S = 80.0


def recording(seconds: float, seed: int) -> np.ndarray:
    """Loud and soft harmonics over noise that span the clipped range, and a digitally silent stretch."""
    count = round(seconds * 16_000)
    time_s = np.arange(count) / 16_000
    rng = np.random.default_rng(seed)
    audio = sum(np.sin(2 * np.pi * 110 * k * time_s + k) / k for k in range(1, 40)) * 0.3
    audio = audio * np.abs(np.sin(2 * np.pi * 2.3 * time_s)) ** 3 + 1e-4 * rng.standard_normal(count)
    audio[count // 2 : count // 2 + count // 4] = 0
    return np.clip(audio, -1, 1).astype(np.float32)


def magnitudes_of(audio: np.ndarray, window: int, hop: int) -> np.ndarray:
    """A centred STFT with a periodic Hann window and edges that reflect: [window / 2 + 1, columns]."""
    spectrum = stft(audio, nperseg=window, noverlap=window - hop, boundary="even", padded=False)[2]
    return np.abs(spectrum) * window / 2  # scipy divides by the sum of the window, which is half its length


def published_mel(audio: np.ndarray) -> np.ndarray:
    """Rudrabha/Wav2Lip audio.py and hparams.py, step by step, with its librosa's reflecting STFT (0.7.0)."""
    emphasised = lfilter([1, -0.97], [1], audio)
    magnitudes = magnitudes_of(emphasised, window=800, hop=200)
    filters = mel_filters(sr=16_000, n_fft=800, n_mels=80, fmin=55, fmax=7600)
    floor = np.exp(-100 / 20 * np.log(10))
    decibels = 20 * np.log10(np.maximum(floor, filters @ magnitudes)) - 20
    return np.clip(8 * ((decibels + 100) / 100) - 4, -4, 4)


def published_windows(mel: np.ndarray, frames_per_s: float) -> list[np.ndarray]:
    """Rudrabha/Wav2Lip inference.py: a window for each frame until one does not fit, which is the clip's last 16."""
    windows: list[np.ndarray] = []
    multiplier = MEL_COLUMNS_PER_S / frames_per_s
    while (start := int(len(windows) * multiplier)) + 16 <= mel.shape[1]:
        windows.append(mel[:, start : start + 16])
    windows.append(mel[:, mel.shape[1] - 16 :])
    return windows


@pytest.mark.parametrize("seconds", [0.05, 1.0, 3.0125, 3.7])
def test_the_mel_equals_the_published_computation(seconds: float) -> None:
    audio = recording(seconds, 3)
    expected = published_mel(audio)
    assert expected.min() == -4  # the silent stretch, and what lies below -100 dB, is in the comparison
    np.testing.assert_allclose(mel_spectrogram(audio, SPEC), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "30", "50", "60000/1001", "60"])
def test_at_any_frame_rate_every_frame_gets_the_published_window(rate: str) -> None:
    audio = recording(6.0, 4)
    frames_per_s = Fraction(rate)
    expected = published_windows(published_mel(audio), float(frames_per_s))
    times_s = [float(index / frames_per_s) for index in range(len(expected))]

    windows = mel_windows(audio, SPEC, times_s)

    # All but the last: there the published code cuts the video off, and lets the last 16 columns stand for the frame.
    np.testing.assert_allclose(windows[:-1], expected[:-1], rtol=0, atol=1e-4)


def test_the_last_window_holds_the_published_columns_and_then_silence() -> None:
    audio = recording(2.0, 5)
    mel = published_mel(audio)
    expected = published_windows(mel, 25.0)
    time_s = (len(expected) - 1) / 25
    first = int(MEL_COLUMNS_PER_S * time_s)
    left = mel.shape[1] - first
    assert 0 < left < 16

    (window,) = mel_windows(audio, SPEC, [time_s])

    np.testing.assert_allclose(window[:, :left], expected[-1][:, 16 - left :], rtol=0, atol=1e-4)
    assert (window[:, left:] == -4).all()


def test_variable_frame_times_are_served_by_their_own_columns() -> None:
    audio = recording(3.0, 6)
    mel = published_mel(audio)
    times_s = np.cumsum(np.random.default_rng(7).uniform(0.008, 0.09, 50))
    windows = mel_windows(audio, SPEC, times_s.tolist())
    for window, time_s in zip(windows, times_s, strict=True):
        start = int(MEL_COLUMNS_PER_S * time_s)
        np.testing.assert_allclose(window, mel[:, start : start + 16], rtol=0, atol=1e-4)


@pytest.mark.parametrize("count", [1, 200, 16_000])
def test_digital_silence_is_the_lowest_value_and_never_nan(count: int) -> None:
    windows = mel_windows(np.zeros(count, np.float32), SPEC, [0.0, 0.5, 1.0])
    assert (windows == -4).all()


def test_silence_inside_speech_is_finite_in_every_window() -> None:
    audio = recording(4.0, 8)
    windows = mel_windows(audio, SPEC, [index / 25 for index in range(100)])
    assert np.isfinite(windows).all()
    assert (windows[55] == -4).all()  # 2.2 s: in the middle of the silent second
