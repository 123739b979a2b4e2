"""The pixels that a mouth can move, in the mouth's own coordinates."""

from dataclasses import dataclass

import numpy as np
from mouth_model import Float32, Mouth, MouthFrame

Region = tuple[float, float, float, float]
"""x1, y1, x2, y2 as fractions of the crop."""

SIDE_REACH = 2.1
"""Nothing moves further than this from the middle of the mouth, sideways (half mouth widths)."""
_UP_REACH, _DOWN_REACH = 1.1, 2.9
_BORDER_FADE = 0.07
"""Width of the strip inside the region's border in which all movement dies away (fraction of the crop)."""


@dataclass(frozen=True, slots=True)
class MouthGrid:
    """A rectangle of the crop; every array has its shape [rows, columns]."""

    rows: slice
    columns: slice
    x_px: Float32
    y_px: Float32
    across: Float32
    """-1 at the left corner of the mouth, 1 at the right one."""
    down: Float32
    """From the line between the corners, in half mouth widths, at right angles to it."""
    fade: Float32
    """1 well inside the region, 0 at its border."""


def grid_around(size_px: int, frame: MouthFrame, region: Region) -> MouthGrid:
    """Lay the grid over what lies within reach of the mouth and inside `region`; it may be empty."""
    left, top, right, bottom = (round(edge * size_px) for edge in region)
    x, y = frame.x * size_px, frame.y * size_px
    unit = frame.half_width * size_px
    cosine, sine = float(np.cos(frame.angle_rad)), float(np.sin(frame.angle_rad))
    corners_x, corners_y = zip(
        *(
            (x + unit * (across * cosine - down * sine), y + unit * (across * sine + down * cosine))
            for across in (-SIDE_REACH, SIDE_REACH)
            for down in (-_UP_REACH, _DOWN_REACH)
        ),
        strict=True,
    )
    columns = slice(max(left, int(min(corners_x))), min(right, int(max(corners_x)) + 1))
    rows = slice(max(top, int(min(corners_y))), min(bottom, int(max(corners_y)) + 1))
    x_px = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :]
    y_px = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    from_x, from_y = (x_px + np.float32(0.5 - x)) / unit, (y_px + np.float32(0.5 - y)) / unit
    inside = np.minimum(np.minimum(x_px - left, right - 1 - x_px), np.minimum(y_px - top, bottom - 1 - y_px))
    shape = (len(y_px), x_px.shape[1])
    return MouthGrid(
        rows,
        columns,
        np.broadcast_to(x_px, shape),
        np.broadcast_to(y_px, shape),
        from_x * cosine + from_y * sine,
        from_y * cosine - from_x * sine,
        smooth(inside / (_BORDER_FADE * size_px)),
    )


def smooth(value: Float32) -> Float32:
    """0 at or below 0, 1 at or above 1, smooth between."""
    share = np.clip(value, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def bump(value: Float32, reach: float) -> Float32:
    """1 at 0, smoothly down to 0 at +-reach and beyond."""
    return np.maximum(1.0 - (value / reach) ** 2, 0.0) ** 2


def between(for_lips: float, for_teeth: float, mouth: Mouth) -> float:
    """Choose between two settings by how surely teeth show."""
    return for_lips + mouth.teeth * (for_teeth - for_lips)
