"""Reads how the mouth is held from the profile across the lips: where it parts, how far open it is, if teeth show.

The profile is the picture averaged along the fan of curves (mouth_model), relative to the skin around the mouth, so
skin tone and light drop out. Shut lips are one dark valley. An open mouth is a valley far darker than any lip. Teeth
are brighter than the skin in green and blue and less red than it, which the gloss of a lip is not.
"""

import numpy as np
from mouth_model import Float32, Float64, Mouth, MouthFrame, UInt8, View, fan_points, view_around
from mouth_reach import read_reach
from numpy.typing import NDArray

_SAGS = np.linspace(-0.6, 1.0, 65)
_SAG_STEP = float(_SAGS[1] - _SAGS[0])
_ACROSS = np.linspace(-0.6, 0.6, 21)
_ACROSS_WEIGHTS = np.sqrt(1.0 - _ACROSS**2) / np.sqrt(1.0 - _ACROSS**2).sum()
_SKIN = (_SAGS < -0.42) | (_SAGS > 0.75)
_BLUR_PX_AT_256 = 1.0

_LINE_CENTRE, _LINE_DEVIATION = 0.08, 0.20
"""Where the line between the lips lies, as a sag: the frame's own middle, a little below it in a smile."""
_LINE_REACH_STEPS = 13
_LINE_SHARPNESS = 30.0
_GAP_RED, _LIP_RED = 0.27, 0.42
"""Red against the skin's: below the first surely a gap, above the second surely a lip."""
_LEAST_GAP = 0.06
"""A dark line up to this height is the shadow between shut lips."""
_TEETH_REACH = 0.65
_TEETH_REACH_SIDEWAYS = 0.84
_SKEW_REACH = 0.14


def read_mouth(crop: UInt8, frame: MouthFrame) -> Mouth:
    """Return how the mouth at `frame` is held in the RGB crop [s, s, 3]."""
    view = view_around(crop, frame, _BLUR_PX_AT_256)
    fan = _fan(view, frame)
    tone, red, redness = _profiles(fan)
    darkness = 0.5 * (tone + red)
    line = _dark_line(darkness)
    gap = max(_gap_height(red, line) - _LEAST_GAP, 0.0)
    teeth, upper, lower = _teeth(tone, redness, line)
    teeth *= 1.0 - _ramp(gap, 0.0, 0.06)  # in an open mouth the gap parts it, wherever teeth are seen
    cut = teeth * lower + (1.0 - teeth) * line
    aperture = teeth * max(lower - upper, 0.0) + (1.0 - teeth) * gap
    skew = _skew(fan, cut, teeth)
    left, right = (side + teeth * (_TEETH_REACH_SIDEWAYS - side) for side in read_reach(view, frame, float(cut), skew))
    return Mouth(frame, float(cut), skew, float(aperture), float(teeth), (left, right))


def _fan(view: View, frame: MouthFrame) -> Float32:
    """The picture along the curves: [sags, across, 3]."""
    frames = np.array([[frame.x, frame.y, frame.angle_rad, frame.half_width]])
    x, y = fan_points(frames, _SAGS, _ACROSS)
    return view.read(x[0], y[0])


def _profiles(fan: Float32) -> tuple[Float64, Float64, Float64]:
    """Tone (darker of green and blue), red, and log redness against the skin's; each [sags]."""
    tone = np.minimum(fan[..., 1], fan[..., 2]) + 2.0
    red = fan[..., 0] + 2.0
    redness = red / tone
    return (
        tone @ _ACROSS_WEIGHTS / np.median(tone[_SKIN]),
        red @ _ACROSS_WEIGHTS / np.median(red[_SKIN]),
        np.log(redness @ _ACROSS_WEIGHTS / np.median(redness[_SKIN])),
    )


def _dark_line(darkness: Float64, centre: float = _LINE_CENTRE, deviation: float = _LINE_DEVIATION) -> float:
    """Sag of the deepest valley near `centre`: brighter on both sides within a lip's height."""
    padded = np.pad(darkness, _LINE_REACH_STEPS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _LINE_REACH_STEPS + 1)
    above, below = windows[: len(darkness)].max(axis=1), windows[-len(darkness) :].max(axis=1)
    depth = np.minimum(above, below) - darkness
    depth = depth * np.exp(-0.5 * ((_SAGS - centre) / deviation) ** 2)
    weights = np.exp((depth - depth.max()) * _LINE_SHARPNESS)
    return float(weights @ _SAGS / weights.sum())


def _gap_height(red: Float64, line: float) -> float:
    """Height of what is too dark to be a lip, around the line."""
    near = np.abs(_SAGS - line) < 0.55
    return float((near * (1.0 - _ramp(red, _GAP_RED, _LIP_RED))).sum() * _SAG_STEP)


def _teeth(tone: Float64, redness: Float64, line: float) -> tuple[float, float, float]:
    """How surely teeth show below `line` (0..1), and the sags of their upper and lower edge."""
    window = _within(line, line + _TEETH_REACH)
    whiteness = window * _ramp(tone, 1.0, 1.12) * _ramp(-redness, 0.02, 0.10)
    total = whiteness.sum()
    if total < 1e-6:
        return 0.0, line, line
    middle = float(whiteness @ _SAGS / total)
    slope = np.gradient(tone)
    upper = _steepest(slope, _within(middle - 0.40, middle), middle)
    lower = _steepest(-slope, _within(middle, middle + 0.45), middle)
    return float(_ramp(total * _SAG_STEP, 0.03, 0.08)), upper, lower


def _within(lowest: float, highest: float) -> NDArray[np.bool_]:
    return (lowest <= _SAGS) & (highest >= _SAGS)


def _steepest(slope: Float64, window: NDArray[np.bool_], otherwise: float) -> float:
    weights = window * np.maximum(slope, 0.0) ** 4
    total = weights.sum()
    return float(weights @ _SAGS / total) if total > 1e-12 else otherwise


def _skew(fan: Float32, cut: float, teeth: float) -> float:
    """How much lower the cut runs on the right half of the mouth than on the left."""
    tone = (np.minimum(fan[..., 1], fan[..., 2]) + 2.0).astype(np.float64)
    half = len(_ACROSS) // 2
    left, right = tone[:, :half].mean(axis=1), tone[:, -half:].mean(axis=1)
    return (1.0 - teeth) * (_line_near(right, cut) - _line_near(left, cut)) + teeth * (
        _teeth_edge_near(right, cut) - _teeth_edge_near(left, cut)
    )


def _line_near(tone: Float64, cut: float) -> float:
    return _dark_line(tone / np.median(tone[_SKIN]), cut, _SKEW_REACH)


def _teeth_edge_near(tone: Float64, cut: float) -> float:
    return _steepest(-np.gradient(tone), np.abs(_SAGS - cut) < _SKEW_REACH, cut)


def _ramp(value: Float64 | float, low: float, high: float) -> Float64:
    """0 below `low`, 1 above `high`, smooth between."""
    share = np.clip((np.asarray(value) - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)
