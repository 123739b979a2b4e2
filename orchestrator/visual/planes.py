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
    copy.pts = frame.pts
    copy.dts = frame.dts
    copy.duration = frame.duration
    if frame.time_base is not None:
        copy.time_base = frame.time_base
    copy.colorspace = frame.colorspace
    copy.color_range = frame.color_range
    copy.color_primaries = frame.color_primaries
    copy.color_trc = frame.color_trc
    return copy
