"""The shape of a mouth in a face crop, and the fan of curves that everything here is measured along.

Lengths are fractions of the crop's side unless a name says otherwise, so one set of numbers serves every crop size.
Between the two corners of the mouth lies a fan of parabolas `sag * (1 - u * u)`, u = -1 at the left corner and 1 at
the right one, sag in half mouth widths, positive downwards. The line between shut lips, the edges of a smile's teeth
and the rims of the lips all run nearly along one of them, so an average along the curves turns the mouth into a clean
profile.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class MouthFrame:
    """Where the mouth lies: the middle of the line between its corners, its tilt and its half width."""

    x: float
    y: float
    angle_rad: float
    """Positive when the right corner is lower."""
    half_width: float


@dataclass(frozen=True, slots=True)
class Mouth:
    """Where the mouth lies and how it is held in the source picture; sags and heights in half mouth widths."""

    frame: MouthFrame
    cut: float
    """Sag of the curve along which the mouth opens: the line between the lips, or the lower edge of the teeth."""
    skew: float
    """How much lower the cut runs on the right half than on the left; 0 for an even mouth."""
    above: float
    """How much of the open mouth (gap or teeth) lies above the cut; 0 for shut lips."""
    below: float
    """How much of it lies below."""
    teeth: float
    """1 where upper teeth reach down to the cut, 0 where lips meet or a gap parts them."""
    reach: tuple[float, float]
    """How far to the left and to the right of its middle the mouth parts."""

    @property
    def aperture(self) -> float:
        """How far open the mouth is already."""
        return self.above + self.below


def fan_points(frames: Float64, sags: Float64, across: Float64) -> tuple[Float64, Float64]:
    """Return x and y, each [n, len(sags), len(across)], for frames [n, 4] of x, y, angle_rad, half_width."""
    x, y, angle, half_width = (column[:, None, None] for column in frames.T)
    along = across[None, None, :] * half_width
    down = sags[None, :, None] * (1.0 - across[None, None, :] ** 2) * half_width
    cosine, sine = np.cos(angle), np.sin(angle)
    return x + along * cosine - down * sine, y + along * sine + down * cosine


@dataclass(frozen=True, slots=True)
class View:
    """A part of a crop, read at fractions of the whole crop."""

    pixels: UInt8 | Float32
    left_px: int
    top_px: int
    size_px: int
    """Side of the whole crop."""

    def read(self, x: Float64, y: Float64) -> Float32:
        """Read bilinearly; any shape of x and y, float32 out, channels last. Outside, the border is repeated."""
        columns = (x * self.size_px - (0.5 + self.left_px)).astype(np.float32).reshape(len(x), -1)
        rows = (y * self.size_px - (0.5 + self.top_px)).astype(np.float32).reshape(len(y), -1)
        values = cv2.remap(self.pixels, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return values.astype(np.float32).reshape(x.shape + self.pixels.shape[2:])


def view_around(crop: UInt8, frame: MouthFrame, blur_px_at_256: float) -> View:
    """Cut out what lies around the mouth, slightly blurred: one and a half mouth widths wide and one high."""
    size_px = len(crop)
    left, right = _span(frame.x, 1.5 * frame.half_width, size_px)
    top, bottom = _span(frame.y, 1.3 * frame.half_width, size_px)
    pixels = cv2.GaussianBlur(crop[top:bottom, left:right], (0, 0), blur_px_at_256 * size_px / 256.0)
    return View(pixels, left, top, size_px)


def _span(middle: float, half: float, size_px: int) -> tuple[int, int]:
    start = int(np.clip(np.floor((middle - half) * size_px), 0, size_px - 2))
    return start, int(np.clip(np.ceil((middle + half) * size_px), start + 2, size_px))
