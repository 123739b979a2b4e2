"""Pasting a lips engine's answer into the planes of a frame, inside the mouth region only."""

from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from client.contracts import Float32Array, LipsProfile, UInt8Array
from orchestrator.visual.colour import Colour, rounded
from orchestrator.visual.geometry import PixelSpan, Rect, pixels_inside
from orchestrator.visual.planes import copy_of, planes_of
from orchestrator.visual.resample import resample

FEATHER_SHARE = 0.2
"""The mask rises from 0 at each border of the mouth region to 1 at this share of the region's size: wide enough to
hide a replaced mouth of slightly other brightness, narrow enough to keep 99 % of what `lips_warp` moves."""


class Patch(NamedTuple):
    """An engine's answer to one crop."""

    square: Rect
    """Where in the frame the crop lies (face_square)."""
    crop: UInt8Array
    """What the engine was shown, RGB [s, s, 3]."""
    answer: UInt8Array
    """What it made of it, same shape."""


def paste(frame: av.VideoFrame, patch: Patch, profile: LipsProfile, strength: float = 1.0) -> av.VideoFrame:
    """Return a copy of `frame` with the mouth of `patch`; `frame` itself when its mouth lies outside the picture.

    Only pixels inside the profile's mouth region change, by a mask that is 0 at the region's border and `strength`
    (0..1) in its middle; every other pixel keeps its bits. What the profile's `blend` adds (see LipsProfile) is
    brought from RGB at the crop's size to each plane's own grid.
    """
    mouth = patch.square.part(profile.mouth_region)
    if pixels_inside(mouth, frame.width, frame.height).empty:
        return frame
    pasted = copy_of(frame)
    change = _change(patch, profile, Colour.of(frame))
    luma, blue, red = planes_of(pasted)
    where = _Placement(patch.square, mouth)
    _paste_plane(luma, change[..., 0], where, profile, strength)
    _paste_plane(blue, change[..., 1], where.on_chroma(), profile, strength)
    _paste_plane(red, change[..., 2], where.on_chroma(), profile, strength)
    return pasted


def feather(span: PixelSpan, region: Rect) -> Float32Array:
    """Return the mask of `span` [h, w]: 1 in the middle of `region`, falling smoothly to 0 at its border."""
    columns = (np.arange(span.left, span.right) + 0.5 - region.x1) / region.width
    rows = (np.arange(span.top, span.bottom) + 0.5 - region.y1) / region.height
    return np.outer(_rise(rows), _rise(columns)).astype(np.float32)


class _Placement(NamedTuple):
    """Where crop and mouth region lie, in the coordinates of one plane."""

    square: Rect
    mouth: Rect

    def on_chroma(self) -> "_Placement":
        return _Placement(self.square.on_chroma(), self.mouth.on_chroma())


def _change(patch: Patch, profile: LipsProfile, colour: Colour) -> Float32Array:
    """Return what goes into the planes, YUV [s, s, 3]: a difference for `residual`, the picture for `replace`."""
    if profile.blend == "replace":
        return colour.to_yuv(patch.answer)
    return colour.difference_to_yuv(cv2.subtract(patch.answer, patch.crop, dtype=cv2.CV_32F))  # type: ignore[arg-type]


def _paste_plane(
    plane: UInt8Array, change: Float32Array, where: _Placement, profile: LipsProfile, strength: float
) -> None:
    span = pixels_inside(where.mouth, plane.shape[1], plane.shape[0])
    if span.empty:
        return
    in_crop = span.rect.in_units_of(where.square, profile.face_size_px)
    # Cubic: the crop is mostly smaller than the face, and linear enlargement would show its grid.
    added = resample(np.ascontiguousarray(change), in_crop, span.size, cv2.INTER_CUBIC)
    source = plane[span.slices].astype(np.float32)
    if profile.blend == "replace":
        added -= source
    plane[span.slices] = rounded(source + strength * feather(span, where.mouth) * added)


def _rise(share: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the smoothstep of the distance to the nearer end, for `share` in 0..1 of the region's extent."""
    t = np.clip(np.minimum(share, 1 - share) / FEATHER_SHARE, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
