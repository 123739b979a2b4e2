"""How much a face's mouth moves from one frame to the next, apart from the movement of its head."""

import math
from typing import NamedTuple

import av
import cv2

from client.contracts import UInt8Array
from orchestrator.media.clip import FaceBox
from orchestrator.visual.geometry import Fractions, Rect
from orchestrator.visual.planes import planes_of
from orchestrator.visual.resample import resample

MOUTH: Fractions = (0.25, 0.62, 0.75, 0.98)
"""Of a face box: lips and chin of a face that looks at the camera; detectors differ by a few percent."""
UPPER: Fractions = (0.15, 0.22, 0.85, 0.58)
"""Eyes and nose: they move with the head and not with the mouth."""
MOUTH_SIZE, UPPER_SIZE = (24, 16), (32, 16)
"""Width and height of what is compared: coarse enough for faces of 32 pixels, fine enough to see lips part."""
STILL = 0.5
"""Change of luma (levels of 8 bits) that counts for nothing: rounding, and what compression leaves of a still face."""


class FaceParts(NamedTuple):
    """One face in one frame, cut at its smoothed box; luma."""

    mouth: UInt8Array
    upper: UInt8Array


def cut_parts(frame: av.VideoFrame, box: FaceBox) -> FaceParts:
    """Read mouth and upper face of a box out of the luma plane."""
    luma = planes_of(frame).luma
    whole = Rect(box.x1, box.y1, box.x2, box.y2)
    mouth = resample(luma, whole.part(MOUTH), MOUTH_SIZE)
    return FaceParts(mouth, resample(luma, whole.part(UPPER), UPPER_SIZE))


def mouth_motion(before: FaceParts, after: FaceParts) -> float:
    """Return the logarithm of the mouth's change over the upper face's: 0 when both change alike, 1 is much.

    A change is a mean absolute difference of luma. A head that moves within its box changes both parts, so it does not
    count; nor does the brightness of the picture.
    """
    mouth, upper = (float(cv2.absdiff(a, b).mean()) for a, b in zip(before, after, strict=True))
    return math.log((mouth + STILL) / (upper + STILL))
