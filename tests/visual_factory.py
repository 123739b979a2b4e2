"""Frames, faces and motions made in code for the tests of the visual branch."""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from client.contracts import LipsProfile, MelSpec
from orchestrator.media.clip import ClipInfo, FaceBox, TrackedFrame
from orchestrator.visual.planes import planes_of

BT709, BT601, UNSPECIFIED = 1, 6, 2
LIMITED, FULL = 1, 2


def make_frame(
    width: int = 64, height: int = 48, seed: int = 0, *, colorspace: int = BT601, color_range: int = LIMITED
) -> av.VideoFrame:
    """A 4:2:0 frame of smooth noise that stays inside the range of its tags."""
    frame = av.VideoFrame(width, height, "yuv420p")
    frame.colorspace, frame.color_range = colorspace, color_range
    frame.pts, frame.time_base = 1000 + seed, Fraction(1, 90_000)
    random = np.random.default_rng(seed)
    for plane in planes_of(frame):
        coarse = random.uniform(70, 180, (plane.shape[0] // 8 + 2, plane.shape[1] // 8 + 2))
        plane[:] = np.kron(coarse, np.ones((8, 8)))[: plane.shape[0], : plane.shape[1]] + random.uniform(
            -10, 10, plane.shape
        )
    return frame


def plane_copies(frame: av.VideoFrame) -> list[np.ndarray]:
    return [plane.copy() for plane in planes_of(frame)]


def make_clip_info(width: int = 64, height: int = 48, **changes: object) -> ClipInfo:
    facts: dict[str, object] = {
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
        "duration_s": 2.0,
        "width": width,
        "height": height,
        "rotation_deg": 0,
        "sample_aspect_ratio": Fraction(1),
        "frames_per_s": Fraction(25),
        "variable_frame_rate": False,
        "frame_count": 50,
        "video_codec": "h264",
        "audio_codec": "aac",
        "audio_sample_rate_hz": 48_000,
        "audio_channels": 1,
        "audio_offset_s": 0.0,
        "size_bytes": 10_000,
    }
    return ClipInfo(**(facts | changes))  # type: ignore[arg-type]


def make_profile(
    size: int = 32,
    blend: str = "residual",
    margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.1),
    mouth: tuple[float, float, float, float] = (0.2, 0.5, 0.8, 0.95),
    batch: int = 8,
) -> LipsProfile:
    return LipsProfile(size, MelSpec(), margins, mouth, blend, batch)  # type: ignore[arg-type]


def face_at(x: float, y: float, width: float, height: float | None = None, score: float = 0.9) -> FaceBox:
    """A face by its centre."""
    height = width if height is None else height
    return FaceBox(x - width / 2, y - height / 2, x + width / 2, y + height / 2, score)


def tracked(index: int = 0, frame: av.VideoFrame | None = None, face: FaceBox | None = None) -> TrackedFrame:
    return TrackedFrame(index, index / 25, frame or make_frame(seed=index), face)


def source(count: int, width: int = 64, height: int = 48) -> Iterator[tuple[int, float, av.VideoFrame]]:
    """A reader's frames at 25 frames/s; frame i has luma i (modulo 200) everywhere."""
    for index in range(count):
        frame = make_frame(width, height)
        planes_of(frame).luma[:] = 16 + index % 200
        yield index, index / 25, frame
