import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.contracts import MelSpec
from client.mel import column_at, margin_s, mel_spectrogram, mel_windows, slice_for

SPEC = MelSpec()


def speech_like(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise bursts over a hum, with a digitally silent stretch in the middle."""
    count = round(seconds * SPEC.sample_rate_hz)
    time = np.arange(count) / SPEC.sample_rate_hz
    noise = np.random.default_rng(seed).standard_normal(count)
    audio = 0.2 * np.sin(2 * np.pi * 150 * time) + 0.1 * noise * np.abs(np.sin(2 * np.pi * 3 * time))
    audio[count // 2 : count // 2 + count // 5] = 0
    return audio.astype(np.float32)


def hz_to_slaney_mel(hz: float) -> float:
    """Linear below 1 kHz (3 mel per 200 Hz), logarithmic above (27 steps per factor 6.4): Slaney's Auditory Toolbox."""
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)


def slaney_mel_to_hz(mel: float) -> float:
    return 200 * mel / 3 if mel < 15 else 1000 * math.exp((mel - 15) * math.log(6.4) / 27)


def reference_filters(spec: MelSpec) -> np.ndarray:
    """Triangles of unit area, one line per filter."""
    low, high = hz_to_slaney_mel(spec.fmin_hz), hz_to_slaney_mel(spec.fmax_hz)
    edges = [slaney_mel_to_hz(low + (high - low) * i / (spec.n_mels + 1)) for i in range(spec.n_mels + 2)]
    filters = np.zeros((spec.n_mels, spec.n_fft // 2 + 1))
    for row in range(spec.n_mels):
        left, centre, right = edges[row : row + 3]
        for bin_ in range(spec.n_fft // 2 + 1):
            hz = bin_ * spec.sample_rate_hz / spec.n_fft
            height = min((hz - left) / (centre - left), (right - hz) / (right - centre))
            filters[row, bin_] = max(height, 0) * 2 / (right - left)
    return filters


def reference_mel(audio: np.ndarray, spec: MelSpec) -> np.ndarray:
    """Column by column with a plain DFT matrix; indices outside the audio are mirrored at its ends."""
    emphasised = [audio[0], *(audio[i] - spec.preemphasis * audio[i - 1] for i in range(1, len(audio)))]
    emphasised = np.array(emphasised, np.float64)
    steps = np.arange(spec.n_fft)
    fourier = np.exp(-2j * np.pi * np.outer(np.arange(spec.n_fft // 2 + 1), steps) / spec.n_fft)
    hann = np.sin(np.pi * steps / spec.n_fft) ** 2
    filters = reference_filters(spec)
    columns = []
    for centre in range(0, len(audio) + 1, spec.hop_length):
        index = np.abs(steps + centre - spec.n_fft // 2)
        index = np.where(index >= len(audio), 2 * (len(audio) - 1) - index, index)
        amplitude = filters @ np.abs(fourier @ (emphasised[index] * hann))
        decibel = 20 * np.log10(np.maximum(1e-5, amplitude)) - spec.ref_level_db
        columns.append(np.clip((decibel + 100) / 100 * 8 - 4, -4, 4))
    return np.array(columns).T


def test_the_mel_is_the_published_one():
    audio = speech_like(1.0)

    mel = mel_spectrogram(audio, SPEC)

    assert mel.dtype == np.float32
    np.testing.assert_allclose(mel, reference_mel(audio, SPEC), atol=1e-4)


def test_digital_silence_is_exactly_the_lowest_value():
    assert (mel_spectrogram(np.zeros(16_000, np.float32), SPEC) == -4.0).all()


def test_digital_silence_is_exactly_the_lowest_value_without_a_reference_level():
    spec = MelSpec(ref_level_db=0.0)
    assert (mel_spectrogram(np.zeros(1_000, np.float32), spec) == -4.0).all()


@pytest.mark.parametrize("level", [0.0, 1e-38, 1e-20])
def test_silence_between_words_is_finite_and_the_lowest_value(level):
    audio = speech_like(2.0)
    audio[8_000:24_000] = level
    mel = mel_spectrogram(audio, SPEC)
    assert np.isfinite(mel).all()
    assert (mel[:, 8_000 // 200 + 3 : 24_000 // 200 - 2] == -4.0).all()


@pytest.mark.parametrize("count", [1, 2, 199, 200, 399, 400, 401, 799])
def test_audio_shorter_than_a_window_still_has_its_columns(count):
    mel = mel_spectrogram(speech_like(1.0)[:count], SPEC)

    assert mel.shape == (80, 1 + count // 200)
    assert np.isfinite(mel).all()


def test_no_audio_has_no_columns_and_only_silent_windows():
    nothing = np.zeros(0, np.float32)

    assert mel_spectrogram(nothing, SPEC).shape == (80, 0)
    assert (mel_windows(nothing, SPEC, [0.0, 1.0]) == -4.0).all()


def test_a_window_starts_at_the_column_of_its_time():
    audio = speech_like(1.0)
    mel = mel_spectrogram(audio, SPEC)

    windows = mel_windows(audio, SPEC, [i / 25 for i in range(10)])

    assert windows.shape == (10, 80, 16) and windows.dtype == np.float32
    for i, window in enumerate(windows):
        np.testing.assert_array_equal(window, mel[:, i * 80 // 25 : i * 80 // 25 + 16])


def test_no_frame_rate_loses_a_column_by_rounding():
    for frames_per_s in (24, 25, 30, 50, 60):
        assert all(column_at(i / frames_per_s, SPEC) == i * 80 // frames_per_s for i in range(5_000))


def test_columns_outside_the_audio_are_silent():
    audio = speech_like(1.0)
    mel = mel_spectrogram(audio, SPEC)

    before, across_end, after = mel_windows(audio, SPEC, [-0.1, 0.95, 2.0])

    assert (before[:, :8] == -4.0).all()
    np.testing.assert_array_equal(before[:, 8:], mel[:, :8])
    np.testing.assert_array_equal(across_end[:, : mel.shape[1] - 76], mel[:, 76:])
    assert (across_end[:, mel.shape[1] - 76 :] == -4.0).all()
    assert (after == -4.0).all()


@settings(max_examples=25, deadline=None)
@given(first_s=st.floats(0, 2.9), length_s=st.floats(0, 1.0))
def test_a_slice_with_margin_gives_the_windows_of_the_whole(first_s, length_s):
    audio = speech_like(3.0)
    times_s = [first_s + i / 30 for i in range(1 + int(length_s * 30))]

    start, stop = slice_for(times_s[0], times_s[-1], SPEC)
    start_s = start / SPEC.sample_rate_hz
    piecewise = mel_windows(audio[start:stop], SPEC, [time_s - start_s for time_s in times_s])

    np.testing.assert_allclose(piecewise, mel_windows(audio, SPEC, times_s), atol=1e-5)


def test_the_margin_is_a_window_and_half_an_fft():
    assert margin_s(SPEC) == pytest.approx((16 + 3) * 0.0125)


def test_audio_of_more_than_one_channel_is_refused():
    with pytest.raises(ValueError, match="one axis"):
        mel_spectrogram(np.zeros((2, 100), np.float32), SPEC)


def test_importing_the_module_does_not_import_librosa():
    check = "import sys, client.mel; sys.exit('librosa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
