"""The planes of a frame as arrays that share its memory."""

from typing import NamedTuple

import av
import numpy as np

from client.contracts import UInt8Array

PLANAR_FORMATS = ("yuv420p", "yuvj420p")


class Planes(NamedTuple):
    """8-bit 4:2:0: luma [h, w] and two chroma planes [ceil(h / 2), ceil(w / 2)], views into the frame."""

    luma: UInt8Array
    blue: UInt8Array
    red: UInt8Array


def planes_of(frame: av.VideoFrame) -> Planes:
    """View the planes of a frame. Raises ValueError for anything but 8-bit planar 4:2:0."""
    if frame.format.name not in PLANAR_FORMATS:
        raise ValueError(f"the visual branch works on {PLANAR_FORMATS[0]}, not on {frame.format.name}")
    luma, blue, red = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]  # type: ignore[call-overload]
        for plane in frame.planes
    )
    return Planes(luma, blue, red)


def copy_of(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a frame with memory of its own: the same pixels, time stamps and colour tags."""
    copy = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(planes_of(frame), planes_of(copy), strict=True):
        np.copyto(target, source)
    tag_like(copy, frame)
    return copy


def tag_like(target: av.VideoFrame, source: av.VideoFrame) -> None:
    """Give `target` the time stamps and colour tags of `source`."""
    target.pts = source.pts
    target.dts = source.dts
    target.duration = source.duration
    if source.time_base is not None:
        target.time_base = source.time_base
    target.colorspace = source.colorspace
    target.color_range = source.color_range
    target.color_primaries = source.color_primaries
    target.color_trc = source.color_trc
