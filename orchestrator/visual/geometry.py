"""Rectangles in continuous picture coordinates: pixel i covers i..i+1, its centre lies at i + 0.5."""

import math
from typing import Literal, NamedTuple

from orchestrator.media.clip import FaceBox

Fractions = tuple[float, float, float, float]

CHROMA_SHIFT_X = 0.5
"""4:2:0 as H.264 writes it by default (chroma location "left"): a chroma sample is co-sited with the luma column
2 i, half a luma pixel left of the middle of its two columns, and lies midway between its two rows."""


class Rect(NamedTuple):
    """Left, top, right, bottom."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Pixels."""
        return self.y2 - self.y1

    def part(self, fractions: Fractions) -> "Rect":
        """Return the part whose x1, y1, x2, y2 are given as fractions of this rectangle."""
        fx1, fy1, fx2, fy2 = fractions
        return Rect(
            self.x1 + fx1 * self.width,
            self.y1 + fy1 * self.height,
            self.x1 + fx2 * self.width,
            self.y1 + fy2 * self.height,
        )

    def in_units_of(self, other: "Rect", size_px: int) -> "Rect":
        """Return this rectangle in the pixels of a square picture of `size_px` that shows `other`."""
        per_x, per_y = size_px / other.width, size_px / other.height
        return Rect(
            (self.x1 - other.x1) * per_x,
            (self.y1 - other.y1) * per_y,
            (self.x2 - other.x1) * per_x,
            (self.y2 - other.y1) * per_y,
        )

    def on_chroma(self) -> "Rect":
        """Return this luma rectangle in the coordinates of the half-size chroma planes."""
        return Rect((self.x1 + CHROMA_SHIFT_X) / 2, self.y1 / 2, (self.x2 + CHROMA_SHIFT_X) / 2, self.y2 / 2)


class PixelSpan(NamedTuple):
    """Whole pixels, half open: columns left..right-1, rows top..bottom-1."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def empty(self) -> bool:
        """True when it holds no pixel."""
        return self.right <= self.left or self.bottom <= self.top

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.right - self.left, self.bottom - self.top

    @property
    def rect(self) -> Rect:
        """The same as a rectangle."""
        return Rect(self.left, self.top, self.right, self.bottom)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of these pixels in an array [rows, columns]."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def pixels_inside(rect: Rect, width: int, height: int) -> PixelSpan:
    """Return the pixels of a `width` x `height` plane whose centres lie inside `rect`."""
    return PixelSpan(
        left=max(0, math.ceil(rect.x1 - 0.5)),
        top=max(0, math.ceil(rect.y1 - 0.5)),
        right=min(width, math.floor(rect.x2 - 0.5) + 1),
        bottom=min(height, math.floor(rect.y2 - 0.5) + 1),
    )


def face_region(face: FaceBox, margins: Fractions, fit: Literal["square", "stretch"] = "square") -> Rect:
    """Return the part of the picture that a lips engine sees of `face`; it may reach over the picture's border.

    `margins` (left, top, right, bottom, as fractions of the box) are added first. `stretch` takes that rectangle: the
    crop shows its shorter side stretched. `square` has the rectangle's longer side and its middle, so everything
    the engine asked for is inside and nothing is stretched; the shorter side gets as much more of the picture on both
    sides.
    """
    left, top, right, bottom = margins
    x1, x2 = face.x1 - left * face.width, face.x2 + right * face.width
    y1, y2 = face.y1 - top * face.height, face.y2 + bottom * face.height
    if fit == "stretch":
        return Rect(x1, y1, x2, y2)
    half = max(x2 - x1, y2 - y1) / 2
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    return Rect(middle_x - half, middle_y - half, middle_x + half, middle_y + half)
