"""Making an engine's answer fit the picture it goes into: colour, and the detail that a small crop lost.

For engines that answer with a picture of their own (`blend: replace`): a generator gets skin a little too light, too
grey or too soft. Both corrections compare the answer with the crop that the engine was shown, at the crop's size.
"""

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from client.contracts import Float32Array, UInt8Array
from orchestrator.visual.geometry import Fractions

RING_SHARE = 0.12
"""The ring reaches so far to either side of the mouth region's border, as a share of the region's size: there the paste
fades out, so there the colours must meet, and it is far enough from the lips to be the same skin in both pictures."""

MAX_GAIN = 1.3
MAX_SHIFT_LEVELS = 48.0
"""What a match may change at most, contrast and mean of each channel: an answer that is further off is broken, and
pulling it would only hide that."""

_PRIOR_VARIANCE = 40.0
"""Squared levels: flat skin says little about contrast, so the gain stays near 1 unless the ring has contrast."""

_STEP = 2
"""Every second row and column: smoothed, their neighbours say the same."""

_FITS = 4
_OUTLIERS_FROM = 2.0
"""Times the median absolute residual: a jaw that moves through the ring must not count as colour."""

_GRAIN_SHARE = 1 / 16
"""Of the crop's size: texture finer than this is left out of the comparison."""

DETAIL_FADES_AT_LEVELS = 7.0
"""Difference of answer and crop at which a pixel counts as half changed. Generators get still skin right to within a
few levels; lips that move are off by tens."""

_MOVED_SHARE = 1 / 20
"""Of the crop's size: the answer is compared by means over so much, for its texture is never the picture's own."""

_SPREAD_SHARE = 1 / 14
"""Half of it around what moved belongs to it, and over as much sharp passes into soft: no old lip shines through."""


class Match(NamedTuple):
    """Per channel, [3]: matched = gain * answer + offset."""

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]

    def apply(self, answer: UInt8Array) -> Float32Array:
        """Correct RGB [s, s, 3]; not clipped."""
        return cast("Float32Array", (answer * self.gain + self.offset).astype(np.float32))


def colour_match(answer: UInt8Array, crop: UInt8Array, mouth: Fractions) -> Match:
    """Fit the answer's colours to the crop's on the ring around `mouth`; both RGB [s, s, 3].

    In RGB, where generators work: a gain of one of its channels changes all planes of YUV at once. Robust least
    squares per channel on smoothed pictures; the contrast is limited to MAX_GAIN and its inverse, the mean to
    MAX_SHIFT_LEVELS. Equal pictures give exactly gain 1 and offset 0.
    """
    ring = _ring(len(crop), mouth)[::_STEP, ::_STEP]
    seen, wanted = (_smoothed(picture)[::_STEP, ::_STEP][ring].astype(np.float64) for picture in (answer, crop))
    fits = [_fit(seen[:, channel], wanted[:, channel]) for channel in range(3)]
    return Match(np.array([gain for gain, _ in fits]), np.array([offset for _, offset in fits]))


def kept_detail(answer: Float32Array, crop: Float32Array) -> Float32Array:
    """Return where the answer (matched) shows what the crop shows, [s, s]: 1 = the same, 0 = something else.

    Both are luma [s, s]. Where it is 1 the picture's own pixels may stay, with all the detail that a crop of the
    engine's size does not hold.
    """
    difference = cast("Float32Array", answer - crop)
    changed = np.abs(cv2.blur(difference, _kernel(len(crop), _MOVED_SHARE)))
    spread = cv2.dilate(changed, np.ones(_kernel(len(crop), _SPREAD_SHARE), np.uint8))
    share = cast("Float32Array", 1 / (1 + (spread / DETAIL_FADES_AT_LEVELS) ** 4))
    return cast("Float32Array", cv2.blur(share, _kernel(len(crop), _SPREAD_SHARE)).astype(np.float32))


def _fit(seen: NDArray[np.float64], wanted: NDArray[np.float64]) -> tuple[float, float]:
    weight = np.ones_like(seen)
    gain, shift, middle = 1.0, 0.0, 0.0
    for _ in range(_FITS):
        total = weight.sum()
        middle = float((weight * seen).sum() / total)
        shift = float((weight * (wanted - seen)).sum() / total)
        from_middle, rest = seen - middle, wanted - seen - shift
        # The slope of what is missing, so that nothing missing is exactly a gain of 1.
        slope = (weight * from_middle * rest).sum() / ((weight * from_middle**2).sum() + _PRIOR_VARIANCE * total)
        gain = float(np.clip(1 + slope, 1 / MAX_GAIN, MAX_GAIN))
        residual = np.abs(rest - (gain - 1) * from_middle)
        limit = _OUTLIERS_FROM * max(float(np.median(residual)), 0.5)
        weight = np.maximum(1 - (residual / (2 * limit)) ** 2, 0) ** 2 + 1e-6
    shift = float(np.clip(shift, -MAX_SHIFT_LEVELS, MAX_SHIFT_LEVELS))
    return gain, shift + (1 - gain) * middle


def _ring(size_px: int, mouth: Fractions) -> NDArray[np.bool_]:
    """Return the pixels [s, s] near the border of the mouth region, on both sides as far as the crop reaches."""
    x1, y1, x2, y2 = mouth
    place = (np.arange(size_px) + 0.5) / size_px
    inside_x = np.minimum(place - x1, x2 - place) / (x2 - x1)
    inside_y = np.minimum(place - y1, y2 - place) / (y2 - y1)
    depth = np.minimum(inside_y[:, None], inside_x[None, :])
    return np.abs(depth) <= RING_SHARE


def _smoothed(picture: UInt8Array) -> Float32Array:
    return cast("Float32Array", cv2.blur(picture.astype(np.float32), _kernel(len(picture), _GRAIN_SHARE)))


def _kernel(size_px: int, share: float) -> tuple[int, int]:
    side = 2 * max(1, round(size_px * share / 2)) + 1
    return side, side
