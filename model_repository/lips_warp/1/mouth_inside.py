"""The inside of an opened mouth, in the colours and the light of the picture it belongs to."""

import numpy as np
from mouth_grid import smooth
from mouth_model import Float32, Float64, Mouth, UInt8, View, fan_points

_BRIGHTNESS_TOP, _BRIGHTNESS_BOTTOM = 0.22, 0.50
"""Of the lip's colour: the dark of the mouth, and the tongue above the lower lip."""
_SATURATION = 1.7
"""Light inside a mouth has passed through flesh: the lip's hue, stronger. A grey picture stays grey."""
_LIP_SAGS = np.linspace(0.06, 0.30, 5)
_SKIN_SAGS = np.array([-0.55, 0.70, 0.85])
"""Below the cut, where the lower lip lies; and above and below both lips."""
_ACROSS = np.linspace(-0.5, 0.5, 9)

_TEETH_BRIGHTNESS, _TEETH_SATURATION = 1.0, 0.45
"""Of the skin's colour: as bright as it, and nearly grey."""
_TEETH_HEIGHT, _TEETH_WIDTH = 0.15, 0.74
"""What of the upper teeth an open mouth shows (half mouth widths), thinning out towards the sides."""
_TEETH_FROM_HEIGHT, _TEETH_WHOLE_HEIGHT = 0.10, 0.28
"""They begin to show in a gap as high as the first, and are seen as far as they ever are in the second."""
_TEETH_STRENGTH = 0.85
"""Only a hint: what the teeth of a mouth that was shut look like is not known."""


def inside_of(crop: UInt8, mouth: Mouth, across: Float32, depth: Float32, height: Float32) -> Float32:
    """Return the colours [rows, columns, 3] of the inside.

    `across` is -1..1 between the corners, `depth` 0 at the upper rim and 1 at the lower one, `height` the gap's there.
    """
    lip = _mean_colour(crop, mouth, _LIP_SAGS)
    grey = lip.mean()
    flesh = np.clip(grey + _SATURATION * (lip - grey), 0.0, 255.0).astype(np.float32)
    tongue = smooth((depth - 0.35) / 0.65) * np.maximum(1.0 - across * across, 0.0)
    inside = (_BRIGHTNESS_TOP + (_BRIGHTNESS_BOTTOM - _BRIGHTNESS_TOP) * tongue)[..., None] * flesh
    if mouth.teeth > 0.99:  # its own teeth are in sight
        return inside
    skin = _mean_colour(crop, mouth, _SKIN_SAGS)
    enamel = _TEETH_BRIGHTNESS * (skin.mean() + _TEETH_SATURATION * (skin - skin.mean()))
    share = (1.0 - mouth.teeth) * _teeth(across, depth * height, height)
    return inside + share[..., None] * (enamel.astype(np.float32) - inside)


def _teeth(across: Float32, below_rim: Float32, height: Float32) -> Float32:
    """How much of the upper teeth is seen: a row behind the upper lip, its lower edge soft and bowed."""
    edge = _TEETH_HEIGHT * np.maximum(1.0 - (across / _TEETH_WIDTH) ** 2, 0.0) ** 0.5
    shown = smooth((height - _TEETH_FROM_HEIGHT) / (_TEETH_WHOLE_HEIGHT - _TEETH_FROM_HEIGHT))
    shaded = 0.6 + 0.4 * smooth(below_rim / 0.07)
    return _TEETH_STRENGTH * shown * shaded * smooth((edge - below_rim) / 0.06 + 0.5)


def _mean_colour(crop: UInt8, mouth: Mouth, sags: Float64) -> Float64:
    """The picture's mean colour along curves at `sags` from the cut."""
    frame = mouth.frame
    frames = np.array([[frame.x, frame.y, frame.angle_rad, frame.half_width]])
    x, y = fan_points(frames, mouth.cut + sags, _ACROSS)
    colours: Float64 = View(crop, 0, 0, len(crop)).read(x[0], y[0]).reshape(-1, 3).mean(axis=0, dtype=np.float64)
    return colours
