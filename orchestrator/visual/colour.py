"""YUV and RGB: one matrix a frame, used in both directions, so that a round trip changes nothing but rounding."""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from client.contracts import Float32Array, UInt8Array

Matrix = NDArray[np.float64]

_BT601 = (0.299, 0.114)
_BT709 = (0.2126, 0.0722)

_WEIGHTS = {
    1: _BT709,
    4: (0.30, 0.11),  # FCC
    5: _BT601,  # BT.470 BG
    6: _BT601,  # SMPTE 170M
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020, non-constant luminance
}
"""Luma weights of red and blue by FFmpeg's AVColorSpace number (ISO/IEC 23091-2, matrix coefficients)."""

_FULL_RANGE = 2
"""FFmpeg's AVCOL_RANGE_JPEG."""

HD_WIDTH_PX = 1280
HD_HEIGHT_PX = 577
"""A picture that does not name its matrix is taken as BT.709 from this size on and as BT.601 below, as players do."""


@dataclass(frozen=True, slots=True)
class Colour:
    """How a frame's three planes encode colour."""

    red_weight: float
    blue_weight: float
    full_range: bool
    """Luma 0..255 (JPEG) instead of 16..235 (MPEG)."""

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Colour":
        """Read it from the frame's own tags."""
        is_hd = frame.width >= HD_WIDTH_PX or frame.height >= HD_HEIGHT_PX
        red, blue = _WEIGHTS.get(int(frame.colorspace), _BT709 if is_hd else _BT601)
        full_range = int(frame.color_range) == _FULL_RANGE or frame.format.name == "yuvj420p"
        return cls(red, blue, full_range)

    def to_rgb(self, yuv: UInt8Array) -> UInt8Array:
        """Convert [h, w, 3]; colours outside RGB's cube are clipped."""
        to_yuv, offset = _matrix(self)
        to_rgb = np.linalg.inv(to_yuv)
        affine = np.hstack([to_rgb, -to_rgb @ offset[:, None]])
        return rounded(_transformed(yuv.astype(np.float32), affine))

    def to_yuv(self, rgb: UInt8Array | Float32Array) -> Float32Array:
        """Convert [h, w, 3]; unrounded, 0..255."""
        to_yuv, offset = _matrix(self)
        return _transformed(rgb.astype(np.float32), np.hstack([to_yuv, offset[:, None]]))

    def difference_to_yuv(self, difference: Float32Array) -> Float32Array:
        """Convert a difference of two RGB pictures [h, w, 3]: the matrix without its offset."""
        return _transformed(difference, _matrix(self)[0])


def rounded(values: Float32Array) -> UInt8Array:
    """Round to the nearest of 0..255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _transformed(picture: Float32Array, matrix: Matrix) -> Float32Array:
    return cast("Float32Array", cv2.transform(picture, matrix))


@lru_cache(maxsize=32)
def _matrix(colour: Colour) -> tuple[Matrix, Matrix]:
    """Return the matrix [3, 3] from RGB 0..255 to YUV 0..255 and the offset [3] that is added."""
    red, blue = colour.red_weight, colour.blue_weight
    luma = np.array([red, 1 - red - blue, blue])
    matrix = np.stack(
        [
            luma,
            (np.array([0.0, 0.0, 1.0]) - luma) / (2 * (1 - blue)),
            (np.array([1.0, 0.0, 0.0]) - luma) / (2 * (1 - red)),
        ]
    )
    if colour.full_range:
        return matrix, np.array([0.0, 128.0, 128.0])
    # ITU-R BT.601: luma spans 219 steps from 16, chroma 224 steps around 128.
    return matrix * np.array([[219.0], [224.0], [224.0]]) / 255, np.array([16.0, 128.0, 128.0])
