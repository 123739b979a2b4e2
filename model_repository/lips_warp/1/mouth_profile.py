"""The profile across the lips: the picture averaged along the fan of curves, relative to the skin around the mouth.

Relative to the skin, so that its tone and the light drop out. What is found on a profile is told by its sag.
"""

from dataclasses import dataclass

import numpy as np
from mouth_model import Float32, Float64, MouthFrame, View, fan_points
from numpy.typing import NDArray

SAGS = np.linspace(-0.6, 1.0, 65)
STEP = float(SAGS[1] - SAGS[0])
_ACROSS = np.linspace(-0.6, 0.6, 21)
_ACROSS_WEIGHTS = np.sqrt(1.0 - _ACROSS**2) / np.sqrt(1.0 - _ACROSS**2).sum()
_SKIN = (SAGS < -0.42) | (SAGS > 0.75)
_LIP_STEPS = 13
"""A lip's height."""
_LINE_SHARPNESS = 60.0
"""Of the weights that make the deepest valley's place a mean: steady between frames, but one valley only."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Averages along the curves, each [sags]; 1 (redness: 0) is the skin's."""

    tone: Float64
    """The darker of green and blue: lips are darker than skin in it, teeth brighter."""
    common: Float64
    """The tone that a third of the mouth's width stays below: teeth are white all along, gloss is in one place."""
    red: Float64
    redness: Float64
    """Logarithm of red against tone."""
    halves: tuple[Float64, Float64]
    """The tone on the left and on the right half of the mouth alone."""


def read_profile(view: View, frame: MouthFrame) -> Profile:
    """Read the picture along the curves between the mouth's corners."""
    frames = np.array([[frame.x, frame.y, frame.angle_rad, frame.half_width]])
    x, y = fan_points(frames, SAGS, _ACROSS)
    fan: Float32 = view.read(x[0], y[0])
    tone = np.minimum(fan[..., 1], fan[..., 2]) + 2.0
    red = fan[..., 0] + 2.0
    redness = red / tone
    half = len(_ACROSS) // 2
    left, right = tone[:, :half].mean(axis=1), tone[:, -half:].mean(axis=1)
    return Profile(
        tone @ _ACROSS_WEIGHTS / np.median(tone[_SKIN]),
        np.sort(tone, axis=1)[:, len(_ACROSS) // 3].astype(np.float64) / np.median(tone[_SKIN]),
        red @ _ACROSS_WEIGHTS / np.median(red[_SKIN]),
        np.log(redness @ _ACROSS_WEIGHTS / np.median(redness[_SKIN])),
        (left / np.median(left[_SKIN]), right / np.median(right[_SKIN])),
    )


def dark_line(darkness: Float64, centre: float, deviation: float) -> float:
    """Sag of the deepest valley near `centre`: brighter on both sides within a lip's height."""
    depth = standing_out(-darkness) * np.exp(-0.5 * ((SAGS - centre) / deviation) ** 2)
    weights = np.exp((depth - depth.max()) * _LINE_SHARPNESS)
    return float(weights @ SAGS / weights.sum())


def standing_out(values: Float64) -> Float64:
    """How far each value lies above the lowest one within a lip's height, on the side where that is higher."""
    padded = np.pad(values, _LIP_STEPS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _LIP_STEPS + 1)
    above, below = windows[: len(values)].min(axis=1), windows[-len(values) :].min(axis=1)
    return values - np.maximum(above, below)


def steepest(slope: Float64, window: NDArray[np.bool_], otherwise: float) -> float:
    """Sag of the steepest rise inside the window; `otherwise` where nothing rises."""
    weights = window * np.maximum(slope, 0.0) ** 4
    total = weights.sum()
    return float(weights @ SAGS / total) if total > 1e-12 else otherwise


def within(lowest: float, highest: float) -> NDArray[np.bool_]:
    """Tell which sags lie between the two."""
    return (lowest <= SAGS) & (highest >= SAGS)


def ramp(value: Float64 | float, low: float, high: float) -> Float64:
    """0 below `low`, 1 above `high`, smooth between."""
    share = np.clip((np.asarray(value) - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)
