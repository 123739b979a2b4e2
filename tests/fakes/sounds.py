"""Sounds made by arithmetic: mono 16 kHz, -1..1. None of them is speech."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
Sound = NDArray[np.float32]


def _seconds(samples: int) -> NDArray[np.float64]:
    return np.arange(samples) / RATE_HZ


def _scaled(sound: NDArray[np.float64], peak: float = 0.5) -> Sound:
    return (sound / max(np.abs(sound).max(), 1e-9) * peak).astype(np.float32)


def coloured_noise(samples: int, slope: float, seed: int = 0) -> Sound:
    """Noise whose amplitude falls with frequency ** slope: 0 white, 0.5 pink, 1 brown."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    return _scaled(np.fft.irfft(spectrum / np.maximum(1, np.arange(len(spectrum))) ** slope, samples))


def _note(hz: float, samples: int, decay_per_s: float) -> NDArray[np.float64]:
    time_s = _seconds(samples)
    tone: NDArray[np.float64] = sum(np.sin(2 * np.pi * hz * n * time_s) / n for n in range(1, 7))  # type: ignore[assignment]
    return tone * np.exp(-decay_per_s * time_s)


def music(samples: int) -> Sound:
    """Chords that change every half second, a bass and a melody over them, a soft beat."""
    rng = np.random.default_rng(5)
    sound = np.zeros(samples)
    bar, beat = RATE_HZ // 2, RATE_HZ // 4
    roots = (0, 5, 7, 0, 9, 5, 7, 12)
    for index, start in enumerate(range(0, samples, bar)):
        length = min(bar, samples - start)
        root = 130.8 * 2 ** (roots[index % len(roots)] / 12)
        chord = [root * 2 ** (step / 12) for step in (0, 4, 7, 12)]
        sound[start : start + length] += sum(_note(hz, length, 1.0) for hz in (root / 2, *chord))
    for index, start in enumerate(range(0, samples, beat)):
        length = min(beat, samples - start)
        hz = 523.3 * 2 ** ((0, 2, 4, 7, 9, 12, 7, 4)[index % 8] / 12)
        sound[start : start + length] += 1.5 * _note(hz, length, 4.0)
        sound[start : start + length] += 0.6 * rng.standard_normal(length) * np.exp(-60 * _seconds(length))
    return _scaled(sound)


def chord(samples: int) -> Sound:
    """A chord that is held."""
    return _scaled(sum(_note(220 * 2 ** (step / 12), samples, 0.0) for step in (0, 4, 7)))  # type: ignore[arg-type]


def hum(samples: int) -> Sound:
    """Mains hum with its harmonics."""
    return _scaled(_note(50.0, samples, 0.0), 0.1)


def clicks(samples: int) -> Sound:
    """Knocks, four a second."""
    sound = np.zeros(samples)
    sound[:: RATE_HZ // 4] = 1.0
    knock = np.random.default_rng(3).standard_normal(400) * np.exp(-np.arange(400) / 80)
    return _scaled(np.convolve(sound, knock)[:samples])


def swelling_noise(samples: int) -> Sound:
    """Noise that comes and goes as surf does."""
    return _scaled(coloured_noise(samples, 0.0, 4) * (0.5 + 0.5 * np.sin(2 * np.pi * 0.7 * _seconds(samples))))


def added_noise(speech: Sound, snr_db: float) -> Sound:
    """`speech` with white noise so far below it."""
    noise = np.random.default_rng(1).standard_normal(len(speech))
    level = np.sqrt(np.mean(speech.astype(np.float64) ** 2)) * 10 ** (-snr_db / 20)
    return (speech + level * noise).astype(np.float32)


def reverberant(speech: Sound, t60_s: float) -> Sound:
    """`speech` in a room whose sound falls by 60 dB in `t60_s`."""
    samples = round(t60_s * RATE_HZ)
    room = np.random.default_rng(2).standard_normal(samples) * 10 ** (-3 * np.arange(samples) / samples)
    room[0] = 8.0
    return _scaled(np.convolve(speech, room)[: len(speech)])


NOT_SPEECH: dict[str, Callable[[int], Sound]] = {
    "digital silence": lambda samples: np.zeros(samples, np.float32),
    "a room's hiss": lambda samples: coloured_noise(samples, 0.0) * np.float32(0.002),
    "white noise": lambda samples: coloured_noise(samples, 0.0),
    "pink noise": lambda samples: coloured_noise(samples, 0.5),
    "brown noise": lambda samples: coloured_noise(samples, 1.0),
    "swelling noise": swelling_noise,
    "mains hum": hum,
    "a held chord": chord,
    "music": music,
    "knocks": clicks,
}
"""Name -> maker of so many samples of it."""
