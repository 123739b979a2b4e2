"""Cutting a face out of a frame's planes, as the square RGB crop that a lips engine reads."""

import av
import cv2
import numpy as np

from client.contracts import UInt8Array
from orchestrator.visual.colour import Colour
from orchestrator.visual.geometry import Rect
from orchestrator.visual.planes import planes_of
from orchestrator.visual.resample import resample


def cut_crop(frame: av.VideoFrame, square: Rect, size_px: int) -> UInt8Array:
    """Show `square` of the frame (luma coordinates) as RGB [size_px, size_px, 3].

    Each plane is resampled from its own grid and only then converted, so no more of the frame than the square is
    read and the colours of a crop do not depend on how the chroma planes were scaled up. Where the square reaches
    over the picture's border, the picture's edge is repeated.
    """
    planes = planes_of(frame)
    size = (size_px, size_px)
    on_chroma = square.on_chroma()
    yuv = cv2.merge(
        [
            resample(planes.luma, square, size),
            resample(planes.blue, on_chroma, size),
            resample(planes.red, on_chroma, size),
        ]
    )
    return np.ascontiguousarray(Colour.of(frame).to_rgb(yuv))  # type: ignore[arg-type]
