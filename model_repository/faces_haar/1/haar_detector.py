"""Finds faces that look more or less at the camera, with the cascades that OpenCV's wheel carries."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from engine_kit.boxes import padded
from engine_kit.refusals import InvalidRequest
from haar_boxes import face_rows
from numpy.typing import NDArray

_SCALE_STEP = 1.1
"""Ratio of successive window sizes."""


@dataclass(frozen=True, slots=True)
class _Cascade:
    classifier: cv2.CascadeClassifier
    min_hits: int
    """Overlapping hits that make a face."""


def _load(name: str, min_hits: int) -> _Cascade:
    path = Path(cv2.data.haarcascades) / f"haarcascade_{name}.xml"
    classifier = cv2.CascadeClassifier(str(path))
    if classifier.empty():
        raise RuntimeError(f"OpenCV cannot load {path.name}")
    return _Cascade(classifier, min_hits)


class Detector:
    """Searches each frame with a sure cascade, and where that finds nothing with one that finds tilted faces too."""

    def __init__(self, longest_side_px: int, smallest_face_fraction: float) -> None:
        """`longest_side_px`: larger frames are shrunk; `smallest_face_fraction`: of the frame's shorter side."""
        self._longest_side_px = longest_side_px
        self._smallest_face_fraction = smallest_face_fraction
        # Measured: alt2 hits a face 14 times or more (95 of 100 portraits), a face tilted by 15 degrees 5 times, and
        # background up to 8 times; the default cascade hits that tilted face 15 times, background up to 10 times.
        self._cascades = (_load("frontalface_alt2", min_hits=10), _load("frontalface_default", min_hits=12))

    def detect(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return rows x1 y1 x2 y2 score of RGB frames [n, h, w, 3], shape [n, k, 5]; padding rows are 0."""
        if not frames.size:
            raise InvalidRequest(f"FRAMES must hold pictures, its shape is {list(frames.shape)}")
        return padded([self._detect_one(frame) for frame in frames])

    def _detect_one(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        scale = max(1.0, max(frame.shape[:2]) / self._longest_side_px)
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        if scale > 1.0:
            size = [max(1, round(side / scale)) for side in (frame.shape[1], frame.shape[0])]
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        grey = cv2.equalizeHist(grey)  # finds faces in the dark
        for cascade in self._cascades:
            places, hits = self._search(cascade, grey)
            if len(hits):
                return face_rows(places, hits, scale, frame.shape)
        return np.zeros((0, 5), np.float32)

    def _search(self, cascade: _Cascade, grey: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        smallest_px = round(min(grey.shape) * self._smallest_face_fraction)
        places, hits = cascade.classifier.detectMultiScale2(
            grey, scaleFactor=_SCALE_STEP, minNeighbors=cascade.min_hits, minSize=(smallest_px, smallest_px)
        )
        return np.asarray(places, np.int32), np.asarray(hits, np.int32)
