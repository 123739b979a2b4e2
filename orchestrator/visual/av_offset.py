"""How late a clip's sound is against its picture, from the motion of a mouth and the loudness. Numbers only.

The measure is the paper's: the cross-correlation of the sound's energy and the mouth's motion, here normalised (mean 0,
deviation 1, as in speaker.py) and read at lags of 10 ms. An offset is positive when the sound comes late.

A mouth moves a little before it is heard: it opens, then the vowel sounds. `NATURAL_LAG_S` is taken off. It is the
median of rendered talking faces (tests/talking_faces.py) whose mouths move exactly with their sound; that people differ
by tens of milliseconds is one reason why small offsets are left alone.

An offset is believed only if the correlation is high, stands out from every other lag, and both halves of the material
say the same by themselves. Anything else is unknown: a wrong correction is worse than none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.visual.speaker import FLAT_DEVIATION, SOUND, STILL_DEVIATION, normalised

Float64 = NDArray[np.float64]

STEP_S = 0.01
REACH_S = 0.65
"""Offsets up to nearly so much are found, either way."""
LAGS_S: Float64 = np.arange(-round(REACH_S / STEP_S), round(REACH_S / STEP_S) + 1, dtype=np.float64) * STEP_S
NATURAL_LAG_S = 0.057
LEAST_CORRELATION = 0.4
"""Rendered faces that speak: 0.42 to 0.62. Mouths that say something else: at their best lag 0.2 to 0.4."""
LEAST_LEAD = 0.08
"""By how much the best lag must exceed those further than `PEAK_S` away. The same mouths: 0.08 to 0.30."""
PEAK_S = 0.2
"""Half the width of the peak: about a syllable."""
HALVES_AGREE_S, STRONG_HALVES_AGREE_S = 0.08, 0.13
STRONG_CORRELATION = 0.5
"""From here on the halves, each with half as much to go by, may differ a little more."""
MIN_SPEECH_S = 4.0
"""So much speech must be heard while the face is in sight."""


@dataclass(frozen=True, slots=True)
class Material:
    """One face over time."""

    times_s: Float64
    """[n], rising: the middle between the two frames that were compared."""
    motions: Float64
    """[n], `mouth_motion`."""


@dataclass(frozen=True, slots=True)
class Offset:
    """What the material says."""

    offset_s: float
    """Positive: the sound is late."""
    correlation: float
    """At that offset, -1..1."""
    lead: float
    """How far it stands out from all other offsets."""
    believed: bool


def find_offset(material: Material, loudness: Float64) -> Offset | None:
    """Return the offset; None when there is too little speech. `loudness`: SpeechLoudness every STEP_S from time 0."""
    grid_s = np.arange(len(loudness), dtype=np.float64) * STEP_S
    if len(grid_s) == 0 or _speech_s(material, grid_s, loudness) < MIN_SPEECH_S:
        return None
    curve = _correlations(material, grid_s, loudness)
    best = int(curve.argmax())
    lead = float(curve[best] - curve[np.abs(LAGS_S - LAGS_S[best]) > PEAK_S].max())
    halves = [
        _correlations(Material(material.times_s[half], material.motions[half]), grid_s, loudness)
        for half in np.array_split(np.arange(len(material.times_s)), 2)
    ]
    allowed_s = STRONG_HALVES_AGREE_S if curve[best] >= STRONG_CORRELATION else HALVES_AGREE_S
    agree = all(abs(LAGS_S[half.argmax()] - LAGS_S[best]) <= allowed_s for half in halves)
    inside = 0 < best < len(LAGS_S) - 1
    return Offset(
        offset_s=float(LAGS_S[best] + (_vertex(curve, best) if inside else 0.0)) - NATURAL_LAG_S,
        correlation=float(curve[best]),
        lead=lead,
        believed=bool(inside and agree and curve[best] >= LEAST_CORRELATION and lead >= LEAST_LEAD),
    )


def _speech_s(material: Material, grid_s: Float64, loudness: Float64) -> float:
    if len(material.times_s) < 2:
        return 0.0
    loud = np.interp(material.times_s, grid_s, loudness) > SOUND
    steps_s = np.diff(material.times_s, prepend=material.times_s[0])
    return float(np.minimum(steps_s, PEAK_S)[loud].sum())


def _correlations(material: Material, grid_s: Float64, loudness: Float64) -> Float64:
    """Return the correlation for each of LAGS_S."""
    motion = normalised(material.motions, STILL_DEVIATION)
    heard = np.interp(material.times_s + LAGS_S[:, None], grid_s, loudness)
    return np.array([float((normalised(row, FLAT_DEVIATION) * motion).mean()) for row in heard])


def _vertex(curve: Float64, best: int) -> float:
    """Return where a parabola through the peak and its neighbours is highest, in seconds from the peak."""
    before, peak, after = curve[best - 1 : best + 2]
    bend = before - 2 * peak + after
    return float(0.5 * (before - after) / bend * STEP_S) if bend < 0 else 0.0
