"""What the detector and the tracks tell of a frame, before it is decided whose lips move."""

from dataclasses import dataclass
from typing import NamedTuple

import av

from orchestrator.media.clip import FaceBox


class SeenFace(NamedTuple):
    """One face in one frame."""

    track: int
    """Number of its track: 1, 2, …"""
    box: FaceBox


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """One decoded frame with everybody in it."""

    index: int
    time_s: float
    """Presentation time relative to the first frame."""
    frame: av.VideoFrame
    shot: int
    """1, 2, …"""
    faces: tuple[SeenFace, ...]
    """By number of the track."""

    @property
    def nbytes(self) -> int:
        """Size of the planes."""
        return sum(plane.buffer_size for plane in self.frame.planes)
