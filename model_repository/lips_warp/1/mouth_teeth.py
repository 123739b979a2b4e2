"""Finds teeth on the profile across the lips.

Teeth are brighter than the skin in green and blue and less red than it, which the gloss of a lip is not; and they touch
the lips, which the light on chin and upper lip does not.
"""

from dataclasses import dataclass

import numpy as np
from mouth_model import Float64
from mouth_profile import SAGS, STEP, Profile, ramp, standing_out, steepest, within

_SEARCH, _TOUCHING = 0.65, 0.19
"""Teeth lie within the first of the line, and within the second something of them is seen (half mouth widths)."""
_DARK_RED, _LIP_RED = 0.60, 0.75
"""Red against the skin's, below teeth: up to the first the dark of a mouth, from the second on a lip."""
_SOFT_EDGE, _HARD_EDGE = 0.9, 1.5
"""How fast the tone falls at the lower edge (skin's tone per half mouth width): skin's own shading, and teeth."""
_EDGE = 0.14
"""Their edges are sought this far beyond what is surely white."""


@dataclass(frozen=True, slots=True)
class Teeth:
    """A row of teeth on one side of the line; sags."""

    certainty: float
    """0..1"""
    upper: float
    lower: float

    @property
    def height(self) -> float:
        """Half mouth widths; 0 where no teeth are."""
        return self.certainty * max(self.lower - self.upper, 0.0)


def teeth_below(profile: Profile, line: float) -> Teeth:
    """Find teeth under the upper lip, in a mouth whose lower edge of the upper lip is the darkest line."""
    whiteness = _bright(profile, 1.02, 1.12) * ramp(-profile.redness, 0.01, 0.06)
    return _teeth(profile, _touching(whiteness * within(line, line + _SEARCH), within(line, line + _TOUCHING)), line)


def teeth_above(profile: Profile, line: float) -> Teeth:
    """Find teeth over the dark of an open mouth; the upper lip's gloss is near, only what is clearly white counts."""
    whiteness = _bright(profile, 1.12, 1.22) * ramp(-profile.redness, 0.08, 0.13)
    over = _teeth(profile, _touching(whiteness * within(line - _SEARCH, line), within(line - _TOUCHING, line)), line)
    dark = 1.0 - float(ramp(np.interp(line, SAGS, profile.red), _DARK_RED, _LIP_RED))
    return Teeth(over.certainty * dark, over.upper, over.lower)


def _bright(profile: Profile, low: float, high: float) -> Float64:
    """Brighter than `low`..`high` all along the mouth, or so bright on the whole that it cannot be gloss."""
    along = ramp(profile.common, low, high) * ramp(standing_out(profile.common), 0.03, 0.08)
    whole = ramp(profile.tone, 1.22, 1.34) * ramp(standing_out(profile.tone), 0.08, 0.16)
    return np.maximum(along * (1.0 - ramp(whole.max(), 0.7, 1.0)), whole)


def _touching(whiteness: Float64, near: Float64) -> Float64:
    """Keep what hangs together with the whitest place near the line."""
    peak = int(np.argmax(whiteness * near))
    joined = whiteness.copy()
    joined[peak:] = np.minimum.accumulate(whiteness[peak:])
    joined[: peak + 1] = np.minimum.accumulate(whiteness[peak::-1])[::-1]
    return joined


def _teeth(profile: Profile, whiteness: Float64, line: float) -> Teeth:
    total = float(whiteness.sum())
    if total < 1e-6:
        return Teeth(0.0, line, line)
    middle = float(whiteness @ SAGS / total)
    half = 0.5 * total * STEP + _EDGE
    slope = np.gradient(profile.tone)
    upper = steepest(slope, within(middle - half, middle), middle)
    below = within(middle, middle + half)
    lower = steepest(-slope, below, middle)
    fall = float((-slope * below).max()) / STEP
    certainty = ramp(total * STEP, 0.012, 0.035) * ramp(fall, _SOFT_EDGE, _HARD_EDGE)
    return Teeth(float(certainty), upper, lower)
