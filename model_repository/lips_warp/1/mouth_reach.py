"""How far towards its corners a mouth parts: where the dark line between the lips ends, on either side."""

import numpy as np
from mouth_model import Float64, MouthFrame, View

_ACROSS = np.linspace(-1.3, 1.3, 53)
_STEP = float(_ACROSS[1] - _ACROSS[0])
_ON_LINE = np.array([-0.03, 0.0, 0.03])
_OFF_LINE = np.array([0.15, 0.20, 0.26])
"""Heights (half mouth widths) at which the line and the lips beside it are read."""
_ENDS_BELOW = 0.75
"""The line counts in full while it is this share as deep as in the middle of the mouth."""
_FAINT, _CLEAR = 0.06, 0.14
"""Depth of the line, relative to the lips' brightness: below the first its end says nothing, above the second all."""
_LEAST, _MOST, _USUAL = 0.68, 1.0, 0.86


def read_reach(view: View, frame: MouthFrame, cut: float, skew: float) -> tuple[float, float]:
    """Return how far the line at `cut` runs to the left and to the right, in half mouth widths from the middle."""
    depth = _line_depth(view, frame, cut, skew)
    middle = len(_ACROSS) // 2
    typical = float(np.median(depth[np.abs(_ACROSS) < 0.5]))
    clear = float(np.clip((typical - _FAINT) / (_CLEAR - _FAINT), 0.0, 1.0))
    present = np.clip(depth / (_ENDS_BELOW * max(typical, _FAINT)), 0.0, 1.0)
    left = float(np.minimum.accumulate(present[middle::-1]).sum() * _STEP)
    right = float(np.minimum.accumulate(present[middle:]).sum() * _STEP)
    left, right = (float(np.clip(side, _LEAST, _MOST)) for side in (left, right))
    return clear * left + (1.0 - clear) * _USUAL, clear * right + (1.0 - clear) * _USUAL


def _line_depth(view: View, frame: MouthFrame, cut: float, skew: float) -> Float64:
    """How much darker the line is than the lips above and below it, 0..1, along the mouth: [across]."""
    inner = np.clip(_ACROSS, -1.0, 1.0)
    line = (cut + 0.5 * skew * inner) * (1.0 - inner**2)
    offsets = np.concatenate([-_OFF_LINE, _ON_LINE, _OFF_LINE])
    along = _ACROSS[None, :] * frame.half_width
    down = (line[None, :] + offsets[:, None]) * frame.half_width
    cosine, sine = np.cos(frame.angle_rad), np.sin(frame.angle_rad)
    colours = view.read(frame.x + along * cosine - down * sine, frame.y + along * sine + down * cosine)
    values = 0.5 * (colours.min(axis=2) + colours.max(axis=2)) + 2.0
    lips = np.minimum(values[:3].max(axis=0), values[6:].max(axis=0))
    depth = 1.0 - values[3:6].min(axis=0) / lips
    return np.maximum(np.convolve(depth, [0.25, 0.5, 0.25], mode="same"), 0.0).astype(np.float64)
