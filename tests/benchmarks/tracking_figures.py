"""What is said of a row of boxes: how it shakes, how far off it is, how late. Arithmetic only."""

import numpy as np
from numpy.typing import NDArray

from orchestrator.media.clip import FaceBox
from orchestrator.settings import VisualSettings
from orchestrator.visual.track import KalmanTrack
from orchestrator.visual.tracker import FUTURE_DETECTIONS
from tests.benchmarks.moving_face import FPS

Path2 = NDArray[np.float64]
"""[n, 3]: centre x, centre y (pixels), logarithm of the width; one row a frame."""


def path_of(boxes: list[FaceBox]) -> Path2:
    return np.array([[(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2, np.log(box.width)] for box in boxes])


def held(detections: list[FaceBox], every: int) -> Path2:
    """Each k-th detection, with straight lines between: what there is without a filter."""
    due = _due(len(detections), every)
    known = path_of([detections[i] for i in due])
    frames = np.arange(len(detections))
    return np.stack([np.interp(frames, due, known[:, axis]) for axis in range(3)], axis=1)


def steadied(detections: list[FaceBox], every: int, settings: VisualSettings) -> Path2:
    """Each k-th detection through the track, every frame settled once FUTURE_DETECTIONS later ones are known."""
    due = _due(len(detections), every)
    track = KalmanTrack(detections[0], 0.0, settings)
    boxes: list[FaceBox] = []
    for index in due[1:]:
        track.update(detections[index], index / FPS)
        settled = len(detections) if index == due[-1] else round(track.seen_s(FUTURE_DETECTIONS) * FPS)
        boxes += [track.at(frame / FPS) for frame in range(len(boxes), settled)]
    return path_of(boxes)


def errors(path: Path2, truth: Path2) -> Path2:
    """Return errors in box widths (the width's as a fraction), less their median: detectors agree on no one box."""
    off = path - truth
    off[:, :2] /= np.exp(truth[:, 2:])
    return off - np.median(off, axis=0)


def jitter(off: Path2) -> NDArray[np.float64]:
    """RMS of the second difference from frame to frame, [3]: of the error, so that true motion does not count."""
    return np.sqrt(np.mean(np.diff(off, 2, axis=0) ** 2, axis=0))


def roughness(path: Path2) -> NDArray[np.float64]:
    """The same of a path whose truth is not known, in box widths: the face's own acceleration counts."""
    width = np.exp(np.median(path[:, 2]))
    return jitter(path / np.array([width, width, 1.0]))


def lag_ms(path: NDArray[np.float64], truth: NDArray[np.float64], reach_frames: int = 6) -> float:
    """Return how much later `path` is than `truth` (both [n]): the peak of their cross-correlation, between frames."""
    path, truth = path - path.mean(), truth - truth.mean()
    middle = slice(reach_frames, len(truth) - reach_frames)
    lags = np.arange(-reach_frames, reach_frames + 1)
    likeness = np.array([np.corrcoef(np.roll(path, -lag)[middle], truth[middle])[0, 1] for lag in lags])
    best = int(np.argmax(likeness))
    if best in (0, len(lags) - 1):
        return float(lags[best]) * 1000 / FPS
    before, at, after = likeness[best - 1 : best + 2]
    return float(lags[best] + (before - after) / (2 * (before - 2 * at + after))) * 1000 / FPS


def _due(count: int, every: int) -> list[int]:
    due = list(range(0, count, every))
    return due if due[-1] == count - 1 else [*due, count - 1]
