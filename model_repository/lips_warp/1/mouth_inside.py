"""The inside of an opened mouth, in the colour and the light of the picture it belongs to."""

import numpy as np
from mouth_grid import smooth
from mouth_model import Float32, Mouth, UInt8, View, fan_points

_BRIGHTNESS_TOP, _BRIGHTNESS_BOTTOM = 0.22, 0.50
"""Of the lip's colour: the dark under the upper lip or teeth, and the tongue above the lower lip."""
_SATURATION = 1.7
"""Light inside a mouth has passed through flesh: the lip's hue, stronger. A grey picture stays grey."""
_LIP_SAGS = np.linspace(0.06, 0.30, 5)
"""Below the cut, where the lower lip lies."""
_LIP_ACROSS = np.linspace(-0.5, 0.5, 9)


def inside_of(crop: UInt8, mouth: Mouth, depth: Float32, lens: Float32) -> Float32:
    """Return colours [rows, columns, 3] for a mouth that is `depth` deep there.

    `depth` is 0 at the upper rim and 1 at the lower one; `lens` is 1 in the middle of the mouth and 0 at its corners.
    """
    frame = mouth.frame
    x, y = fan_points(
        np.array([[frame.x, frame.y, frame.angle_rad, frame.half_width]]), mouth.cut + _LIP_SAGS, _LIP_ACROSS
    )
    lip = View(crop, 0, 0, len(crop)).read(x[0], y[0]).reshape(-1, 3).mean(axis=0)
    grey = lip.mean()
    hue = np.clip(grey + _SATURATION * (lip - grey), 0.0, 255.0).astype(np.float32)
    tongue = smooth((depth - 0.35) / 0.65) * lens
    return (_BRIGHTNESS_TOP + (_BRIGHTNESS_BOTTOM - _BRIGHTNESS_TOP) * tongue)[..., None] * hue
