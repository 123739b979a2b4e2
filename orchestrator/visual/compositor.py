"""Pasting a lips engine's answer into the planes of a frame, inside the mouth region only."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from client.contracts import Float32Array, LipsProfile, UInt8Array
from orchestrator.visual.colour import Colour, rounded
from orchestrator.visual.geometry import PixelSpan, Rect, pixels_inside
from orchestrator.visual.match import colour_match, kept_detail
from orchestrator.visual.planes import copy_of, planes_of
from orchestrator.visual.resample import resample

FEATHER_SHARE = 0.2
"""The mask rises from 0 at each border of the mouth region to 1 at this share of the region's size: wide enough to
hide a replaced mouth of slightly other brightness, narrow enough to keep 99 % of what `lips_warp` moves."""


class Patch(NamedTuple):
    """An engine's answer to one crop."""

    region: Rect
    """Where in the frame the crop lies (face_region)."""
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
    mouth = patch.region.part(profile.mouth_region)
    if pixels_inside(mouth, frame.width, frame.height).empty:
        return frame
    pasted = copy_of(frame)
    change = _change(patch, profile, Colour.of(frame))
    luma, blue, red = planes_of(pasted)
    where = _Placement(patch.region, mouth)
    for number, (plane, place) in enumerate(((luma, where), (blue, where.on_chroma()), (red, where.on_chroma()))):
        span = pixels_inside(place.mouth, plane.shape[1], plane.shape[0])
        if not span.empty:
            added = change.on_plane(number, plane, span, place.square)
            source = plane[span.slices].astype(np.float32)
            plane[span.slices] = rounded(source + strength * feather(span, place.mouth) * added)
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


class _Change(Protocol):
    """What is to be added to the planes, known at the crop's size."""

    def on_plane(self, number: int, plane: UInt8Array, span: PixelSpan, square: Rect) -> Float32Array:
        """Return it for the pixels of `span` of one plane (0 luma, 1 blue, 2 red); `square` in its coordinates."""
        ...


@dataclass(frozen=True, slots=True)
class _Residual:
    """The difference that the engine made, over the picture's own detail."""

    difference: Float32Array
    """YUV [s, s, 3]."""

    def on_plane(self, number: int, plane: UInt8Array, span: PixelSpan, square: Rect) -> Float32Array:
        return _enlarged(self.difference[..., number], span, square)


@dataclass(frozen=True, slots=True)
class _Replacement:
    """The engine's picture in the colours of the crop; where both show the same, their difference over the frame.

    With k the share of the frame that stays, what is shown is k (frame + picture - crop) + (1 - k) picture. What is
    added to the frame is therefore (picture - k crop) - (1 - k) frame.
    """

    drawn: Float32Array
    """YUV [s, s, 3]: picture - k crop."""
    gone: Float32Array
    """[s, s]: 1 - k."""

    def on_plane(self, number: int, plane: UInt8Array, span: PixelSpan, square: Rect) -> Float32Array:
        # One by one: OpenCV enlarges two channels at once far more slowly.
        drawn, gone = _enlarged(self.drawn[..., number], span, square), _enlarged(self.gone, span, square)
        return drawn - gone * plane[span.slices]


def _change(patch: Patch, profile: LipsProfile, colour: Colour) -> _Change:
    if profile.blend == "residual":
        difference = cast("Float32Array", cv2.subtract(patch.answer, patch.crop, dtype=cv2.CV_32F))
        return _Residual(colour.difference_to_yuv(difference))
    match = colour_match(patch.answer, patch.crop, profile.mouth_region)
    picture, crop = colour.to_yuv(match.apply(patch.answer)), colour.to_yuv(patch.crop)
    kept = kept_detail(picture[..., 0], crop[..., 0])
    return _Replacement(picture - kept[..., None] * crop, 1 - kept)


def _enlarged(picture: Float32Array, span: PixelSpan, square: Rect) -> Float32Array:
    """Show a picture of the square [s, s] on the pixels of `span`."""
    in_crop = span.rect.in_units_of(square, len(picture))
    # Cubic: the crop is mostly smaller than the face, and linear enlargement would show its grid.
    return resample(np.ascontiguousarray(picture), in_crop, span.size, cv2.INTER_CUBIC)


def _rise(share: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the smoothstep of the distance to the nearer end, for `share` in 0..1 of the region's extent."""
    t = np.clip(np.minimum(share, 1 - share) / FEATHER_SHARE, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
