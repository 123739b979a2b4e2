"""From a mel window to the mouth that would speak it: how far open, how round.

Vowels are told apart the way the ear does it, by where the energy lies. A high first formant means a low jaw, little
energy above 1.6 kHz means rounded lips, energy above 4 kHz alone means a hiss through nearly closed teeth. Lips that
close inside a word (m, b, p) show as a dip against the loudest column of the window.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MelScale:
    """How the mel values were made; the names and units are those of the config's `mel_` parameters."""

    n_mels: int
    steps: int
    fmin_hz: float
    fmax_hz: float
    min_level_db: float
    ref_level_db: float
    max_abs_value: float
    steps_per_s: float


@dataclass(frozen=True, slots=True)
class SpokenMouth:
    """What the mouth should do for one frame."""

    opening: float
    """Height of the gap between the lips, in half mouth widths; 0 is shut."""
    width: float
    """Mouth width relative to rest; below 1 is rounded, above 1 is spread."""


SHUT = SpokenMouth(opening=0.0, width=1.0)

_WIDEST_OPENING = 0.46
"""Opening of a loud open vowel: a gap of nearly a quarter of the mouth's width."""
_LEAD_S = 0.045
"""The lips are in place about one frame before their sound is heard; viewers accept a lead, not a lag."""
_SPREAD_S = 0.022
"""Standard deviation of the weights over the columns: fast enough for syllables, slow enough not to flutter at 25/s."""
_INAUDIBLE_DB, _FULL_DB = -42.0, -5.0
"""Level of the voiced band at which the mouth begins to open, and at which it is fully open."""
_DIP_DB, _NO_DIP_DB = -17.0, -3.0
"""Level against the loudest column ahead at which the lips count as closed, and as not closing at all."""
_CLOSED_VOWEL_HZ, _OPEN_VOWEL_HZ = 320.0, 700.0
"""Spectral centre of 250..1000 Hz for "ee" and for "ah"."""
_CLOSED_VOWEL_SHARE = 0.34
"""Opening of "ee" against "ah"."""
_HISS_OPENING = 0.07


class SpeechReader:
    """Turns mel windows into mouths; keeps the band tables of one mel set-up."""

    def __init__(self, scale: MelScale) -> None:
        """Work out the bands and the column weights."""
        self._scale = scale
        centres_hz = _mel_centres_hz(scale)
        self._bands = {
            name: ((centres_hz >= low) & (centres_hz < high)).astype(np.float64)
            for name, low, high in (
                ("voiced", 150.0, 1300.0),
                ("low", 150.0, 450.0),
                ("middle", 600.0, 1300.0),
                ("high", 1600.0, 3000.0),
                ("hiss", 4000.0, 8000.0),
            )
        }
        self._first_formant = ((centres_hz >= 250.0) & (centres_hz <= 1000.0)).astype(np.float64)
        self._centres_hz = centres_hz
        times_s = np.arange(scale.steps) / scale.steps_per_s
        weights = np.exp(-0.5 * ((times_s - _LEAD_S) / _SPREAD_S) ** 2)
        self._column_weights = weights / weights.sum()

    def read(self, mel: NDArray[np.float32]) -> SpokenMouth:
        """Return the mouth for one window [n_mels, steps] in -max_abs_value..+max_abs_value; silence gives SHUT."""
        power = self._power(mel)
        voiced_db = _decibels(self._bands["voiced"] @ power)
        middle_db = _decibels(self._bands["middle"] @ power)
        low_db = _decibels(self._bands["low"] @ power)
        high_db = _decibels(self._bands["high"] @ power)
        hiss_db = _decibels(self._bands["hiss"] @ power)

        presence = _ramp(voiced_db, _INAUDIBLE_DB, _FULL_DB) ** 0.9
        held = _ramp(voiced_db - voiced_db.max(), _DIP_DB, _NO_DIP_DB)
        openness = _CLOSED_VOWEL_SHARE + (1.0 - _CLOSED_VOWEL_SHARE) * self._vowel_openness(power)
        bright_db = high_db - np.maximum(low_db, middle_db)
        rounded = _ramp(-bright_db, 10.0, 30.0)
        spread = _ramp(bright_db, -4.0, 8.0)

        vowel = _WIDEST_OPENING * presence * held * openness * (1.0 - 0.25 * rounded)
        hiss = _HISS_OPENING * _ramp(hiss_db, -36.0, -20.0)
        opening = float(self._column_weights @ np.maximum(vowel, hiss))
        shape = presence * (0.06 * spread - 0.15 * rounded)
        return SpokenMouth(opening=opening, width=1.0 + float(self._column_weights @ shape))

    def _power(self, mel: NDArray[np.float32]) -> NDArray[np.float64]:
        """Undo the mel's scaling: power relative to full scale, silence exactly 0."""
        scale = self._scale
        values = np.clip(mel.astype(np.float64), -scale.max_abs_value, scale.max_abs_value)
        share = (values + scale.max_abs_value) / (2.0 * scale.max_abs_value)
        decibels = scale.min_level_db * (1.0 - share) + scale.ref_level_db
        floor: float = 10.0 ** ((scale.min_level_db + scale.ref_level_db) / 10.0)
        return np.maximum(10.0 ** (decibels / 10.0) - floor, 0.0)

    def _vowel_openness(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """0 for "ee" and "oo", 1 for "ah": the spectral centre around the first formant."""
        total = self._first_formant @ power
        centre_hz = (self._first_formant * self._centres_hz) @ power / np.maximum(total, 1e-12)
        return _ramp(centre_hz, _CLOSED_VOWEL_HZ, _OPEN_VOWEL_HZ)


def _decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return 10.0 * np.log10(power + 1e-9)


def _ramp(value: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """0 below `low`, 1 above `high`, straight between."""
    return np.clip((value - low) / (high - low), 0.0, 1.0)


def _mel_centres_hz(scale: MelScale) -> NDArray[np.float64]:
    """Centres of the filters on Slaney's mel scale (linear to 1 kHz, then 27 steps a factor of 6.4), as librosa's."""
    edges = np.linspace(_slaney_mel(scale.fmin_hz), _slaney_mel(scale.fmax_hz), scale.n_mels + 2)[1:-1]
    return np.where(edges < 15.0, edges * 200.0 / 3.0, 1000.0 * np.exp((edges - 15.0) * np.log(6.4) / 27.0))


def _slaney_mel(frequency_hz: float) -> float:
    if frequency_hz < 1000.0:
        return frequency_hz * 3.0 / 200.0
    return 15.0 + 27.0 * float(np.log(frequency_hz / 1000.0) / np.log(6.4))
