"""Finding faces in a few frames: small pictures out, boxes in the frames' own pixels back."""

from collections.abc import Sequence
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from client.contracts import FacesEngine, Float32Array, UInt8Array
from orchestrator.media.clip import ClipInfo, FaceBox
from orchestrator.settings import VisualSettings
from orchestrator.visual.retry import EngineRetry

DEFAULT_SHORT_SIDE_PX = 360
"""Of the pictures for a detector that states none."""


class FaceFinder:
    """Calls the detector on pictures of one size a clip, fixed by its first frame, so that Triton can merge them."""

    def __init__(self, faces: FacesEngine, clip: ClipInfo, settings: VisualSettings, retry: EngineRetry) -> None:
        """Make no call yet."""
        self._faces = faces
        self._pixel_aspect = _upright_aspect(clip)
        self._settings = settings
        self._retry = retry
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None

    def picture(self, frame: av.VideoFrame) -> UInt8Array:
        """Return the frame as the detector sees it: RGB [h, w, 3], square pixels, its short side as short as asked.

        Only this small picture is converted to RGB. Frames are never scaled up. The first call may ask the engine for
        its short side, and raises its error when its tries are used up.
        """
        if self._size is None:
            self._size = small_size(frame.width, frame.height, self._pixel_aspect, self._short_side_px())
        width, height = self._size
        small = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA, threads=1)
        return cast("UInt8Array", small.to_ndarray())

    def _short_side_px(self) -> int:
        if self._settings.detector_short_side_px is not None:
            return self._settings.detector_short_side_px
        return self._retry.call(lambda: self._faces.short_side_px) or DEFAULT_SHORT_SIDE_PX

    def find(
        self, pictures: Sequence[UInt8Array], frames: Sequence[av.VideoFrame], traceparent: str = ""
    ) -> list[list[FaceBox]]:
        """Return the faces of each picture in the pixels of its frame, by one call of the detector.

        Faces below `min_face_score` or narrower than `min_face_px` are left out. The detector is not asked about frames
        that have no room for one: it may refuse pictures so small.
        """
        if min(frames[0].width, frames[0].height) < self._settings.min_face_px:
            return [[] for _ in frames]
        batch = np.stack(pictures)
        answers = self._retry.call(lambda: self._faces.detect(batch, traceparent=traceparent))
        return [
            self._boxes(rows, frame.width / picture.shape[1], frame.height / picture.shape[0])
            for rows, picture, frame in zip(answers, pictures, frames, strict=True)
        ]

    def _boxes(self, rows: Float32Array, scale_x: float, scale_y: float) -> list[FaceBox]:
        boxes = [
            FaceBox(x1 * scale_x, y1 * scale_y, x2 * scale_x, y2 * scale_y, score)
            for x1, y1, x2, y2, score in rows.tolist()
        ]
        settings = self._settings
        return [
            box
            for box in boxes
            if box.score >= settings.min_face_score and box.width >= settings.min_face_px and box.height > 0
        ]


def small_size(width: int, height: int, pixel_aspect: Fraction, short_side_px: int) -> tuple[int, int]:
    """Return the detector's picture size for frames of this size, whose pixels are `pixel_aspect` wide for 1 high.

    Square pixels are made by shrinking the longer direction: no side ever grows.
    """
    display_width = width * min(pixel_aspect, Fraction(1))
    display_height = height / max(pixel_aspect, Fraction(1))
    scale = min(Fraction(1), short_side_px / min(display_width, display_height))
    return max(1, round(display_width * scale)), max(1, round(display_height * scale))


def _upright_aspect(clip: ClipInfo) -> Fraction:
    aspect = clip.sample_aspect_ratio if clip.sample_aspect_ratio > 0 else Fraction(1)  # 0: not stated
    return 1 / aspect if clip.rotation_deg in (90, 270) else aspect
