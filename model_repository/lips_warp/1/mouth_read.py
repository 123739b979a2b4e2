"""Reads how the mouth is held: where it parts, how far open it is, whether teeth show.

Shut lips are one dark line on the profile. Under a smile's upper lip lie teeth, and the mouth parts at their lower
edge. In an open mouth the line is far darker than any lip, or teeth lie above it, and the mouth parts there.
"""

import numpy as np
from mouth_model import Float64, Mouth, MouthFrame, UInt8, view_around
from mouth_profile import STEP, Profile, dark_line, ramp, read_profile, steepest, within
from mouth_reach import read_reach
from mouth_teeth import teeth_above, teeth_below

_BLUR_PX_AT_256 = 1.0
_LINE_CENTRE, _LINE_DEVIATION = 0.10, 0.17
"""Where the line between the lips lies, as a sag: the frame's own middle, a little below it in a smile."""
_GAP_RED, _LIP_RED = 0.27, 0.42
"""Red against the skin's: below the first surely a gap, above the second surely a lip."""
_GAP_REACH = 0.55
_LEAST_GAP = 0.06
"""A dark line up to this height is the shadow between shut lips."""
_SURE_GAP = 0.06
_TEETH_REACH_SIDEWAYS = 0.84
_SKEW_REACH = 0.14


def read_mouth(crop: UInt8, frame: MouthFrame) -> Mouth:
    """Return how the mouth at `frame` is held in the RGB crop [s, s, 3]."""
    view = view_around(crop, frame, _BLUR_PX_AT_256)
    profile = read_profile(view, frame)
    line = dark_line(0.5 * (profile.tone + profile.red), _LINE_CENTRE, _LINE_DEVIATION)
    gap = max(_gap_height(profile.red, line) - _LEAST_GAP, 0.0)
    over, under = teeth_above(profile, line), teeth_below(profile, line)
    open_between = float(np.maximum(ramp(gap, 0.0, _SURE_GAP), over.certainty))
    smile = under.certainty * (1.0 - open_between)  # an open mouth parts in its gap, wherever teeth are seen
    cut = smile * under.lower + (1.0 - smile) * line
    above = smile * max(under.lower - under.upper, 0.0) + (1.0 - smile) * (
        0.5 * gap + over.certainty * (line - over.upper)
    )
    below = (1.0 - smile) * (0.5 * gap + over.certainty * (line - over.lower) + open_between * under.height)
    skew = _skew(profile, cut, smile)
    left, right = (side + smile * (_TEETH_REACH_SIDEWAYS - side) for side in read_reach(view, frame, cut, skew))
    return Mouth(frame, cut, skew, above, below, smile, (left, right))


def _gap_height(red: Float64, line: float) -> float:
    """Height of what is too dark to be a lip, around the line."""
    gap = within(line - _GAP_REACH, line + _GAP_REACH) * (1.0 - ramp(red, _GAP_RED, _LIP_RED))
    return float(gap.sum() * STEP)


def _skew(profile: Profile, cut: float, smile: float) -> float:
    """How much lower the cut runs on the right half of the mouth than on the left."""
    left, right = profile.halves
    line = dark_line(right, cut, _SKEW_REACH) - dark_line(left, cut, _SKEW_REACH)
    near = within(cut - _SKEW_REACH, cut + _SKEW_REACH)
    teeth = steepest(-np.gradient(right), near, cut) - steepest(-np.gradient(left), near, cut)
    return (1.0 - smile) * line + smile * teeth
