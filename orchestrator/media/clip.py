"""What is known of a source clip, and the frames that flow through the visual branch."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """The probe's findings. Times are relative to the first video frame (source time 0)."""

    container: str
    """FFmpeg's name of the demuxer, e.g. "mov,mp4,m4a,3gp,3g2,mj2"."""
    duration_s: float
    """Of the video track."""
    width: int
    """Of the coded picture, before rotation."""
    height: int
    rotation_deg: int
    """0, 90, 180, 270: clockwise turn that a player applies."""
    sample_aspect_ratio: Fraction
    frames_per_s: Fraction
    """Average rate."""
    variable_frame_rate: bool
    frame_count: int
    """Packets of the video track."""
    video_codec: str
    audio_codec: str
    audio_sample_rate_hz: int
    audio_channels: int
    audio_offset_s: float
    """Start of the audio track minus start of the video track."""
    size_bytes: int

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "ClipInfo":
        """Rebuild from JSON in which fractions are text ("25/1"), as the probe's child and the job store write them."""
        fractions = {name: Fraction(facts[name]) for name in ("sample_aspect_ratio", "frames_per_s")}
        return cls(**{**facts, **fractions})


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A face in the upright picture's pixels."""

    x1: float
    y1: float
    x2: float
    y2: float
    score: float
    predicted: bool = False
    """True when it comes from the track's motion model and not from a detection in this very frame."""

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2."""
        return self.x1, self.y1, self.x2, self.y2

    @property
    def width(self) -> float:
        """Pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Pixels."""
        return self.y2 - self.y1


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """One decoded frame with the face that is to speak in it."""

    index: int
    time_s: float
    """Presentation time relative to the first frame."""
    frame: av.VideoFrame
    """8-bit planar YUV as decoded (rotated upright): untouched pixels never pass through RGB."""
    face: FaceBox | None
    """None: this frame passes through."""

    @property
    def nbytes(self) -> int:
        """Size of the planes."""
        return sum(plane.buffer_size for plane in self.frame.planes)


Mono = NDArray[np.float32]
"""Mono samples in -1..1, shape [n]."""
