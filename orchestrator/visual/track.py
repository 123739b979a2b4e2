"""One face through time: a Kalman filter on its box."""

import math
from bisect import bisect_right

import numpy as np

from orchestrator.media.clip import FaceBox
from orchestrator.settings import VisualSettings
from orchestrator.visual import kalman

SIZE_NOISE = 4.0
"""A face's size is known less well than its place: a width is a difference of two edges and a centre their mean,
which makes 2 of equal errors, and Haar's windows come in few sizes. Measured: tests/benchmarks/bench_tracking.py."""

SIZE_ACCELERATION = 0.1
"""Heads come nearer and turn more slowly than they move to the side: a share of the position's acceleration."""

FIRST_SPEED = 1.0
"""Standard deviation of a new face's speed, in box widths per second."""

FIRST_GROWTH = 0.3
"""The same of the logarithms of its width and aspect, per second."""

SAME_FACE_IOU = 0.2
SAME_FACE_GROWTH = 1.5
"""A detection that covers the prediction or the last detection so well, and is at most so much wider or narrower,
belongs to the track however sure the filter is of itself: heads are shaken faster than any steady motion. Boxes of
one size overlap so much when they are 2/3 of their width apart, nearer than two people sit."""

SAME_FACE_SURPRISE = 18.5
"""So does one within this squared Mahalanobis distance: 99.9 % of chi-squared with four degrees of freedom."""


class KalmanTrack:
    """Position and size of one face. Axes: centre x, centre y, log width, log aspect (height / width).

    All noise is stated in box widths, so a face near the camera and one far away are treated alike.
    """

    def __init__(self, box: FaceBox, time_s: float, settings: VisualSettings) -> None:
        """Start at a detection."""
        self._settings = settings
        start = kalman.first_estimate(time_s, _values(box), self._noise(box.width), _speeds(box.width))
        self._steps = [kalman.Step(start, start)]
        self._scores = [box.score]
        self._smoothed: list[kalman.Estimate] | None = None
        self.first_seen_s = time_s
        self.detections = 1

    @property
    def last_seen_s(self) -> float:
        """Time of the last detection."""
        return self._steps[-1].filtered.time_s

    def seen_s(self, detections_ago: int) -> float:
        """Time of the detection so many before the last one; of the oldest kept one if there are not as many."""
        return self._steps[max(0, len(self._steps) - 1 - detections_ago)].filtered.time_s

    def predict(self, time_s: float) -> FaceBox:
        """Extrapolate from the last detection."""
        return _box(self._predicted(time_s).values, self._scores[-1], predicted=time_s > self.last_seen_s)

    def surprise(self, box: FaceBox, time_s: float) -> float | None:
        """Return how badly a detection fits (0 = as predicted), None when it is another face or another place."""
        predicted = self._predicted(time_s)
        distance = kalman.surprise(predicted, _values(box), self._noise(math.exp(predicted.values[2])))
        near = _overlap(_box(predicted.values), box) or _overlap(_box(self._steps[-1].filtered.values), box)
        return distance if near or distance <= SAME_FACE_SURPRISE else None

    def update(self, box: FaceBox, time_s: float) -> None:
        """Take a detection in; times must not fall."""
        predicted = self._predicted(time_s)
        noise = self._noise(math.exp(predicted.values[2]))
        self._steps.append(kalman.Step(predicted, kalman.correct(predicted, _values(box), noise)))
        self._scores.append(box.score)
        self._smoothed = None
        self.detections += 1

    def at(self, time_s: float) -> FaceBox:
        """Return the face at any time since the oldest kept detection.

        Up to the last detection the estimate knows the detections on both sides, so it neither lags nor overshoots;
        later times are extrapolated.
        """
        if time_s > self.last_seen_s:
            return self.predict(time_s)
        if self._smoothed is None:
            self._smoothed = kalman.smooth(self._steps)
        times_s = [estimate.time_s for estimate in self._smoothed]
        before = max(0, bisect_right(times_s, time_s) - 1)
        after = min(before + 1, len(times_s) - 1)
        values = kalman.between(self._smoothed[before], self._smoothed[after], time_s)
        if before == after:
            values = self._smoothed[before].values
        return _box(values, self._scores[before], predicted=time_s != times_s[before])

    def forget_before(self, time_s: float) -> None:
        """Let go of detections that `at` does not need from `time_s` on."""
        while len(self._steps) > 1 and self._steps[1].filtered.time_s <= time_s:
            del self._steps[0], self._scores[0]
            if self._smoothed is not None:
                del self._smoothed[0]

    def _predicted(self, time_s: float) -> kalman.Estimate:
        last = self._steps[-1].filtered
        return kalman.predict(last, time_s, self._acceleration(math.exp(last.values[2])))

    def _noise(self, width_px: float) -> kalman.Vector:
        std = self._settings.kalman_measurement_noise
        return std * np.array([width_px, width_px, SIZE_NOISE, SIZE_NOISE])

    def _acceleration(self, width_px: float) -> kalman.Vector:
        std = self._settings.kalman_process_noise
        return std * np.array([width_px, width_px, SIZE_ACCELERATION, SIZE_ACCELERATION])


def iou(a: FaceBox, b: FaceBox) -> float:
    """Return the area that two boxes share as a fraction of the area that they cover together."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a.width * a.height + b.width * b.height - shared)


def _overlap(a: FaceBox, b: FaceBox) -> bool:
    grown = max(a.width / b.width, b.width / a.width)
    return grown <= SAME_FACE_GROWTH and iou(a, b) >= SAME_FACE_IOU


def _speeds(width_px: float) -> kalman.Vector:
    return np.array([FIRST_SPEED * width_px, FIRST_SPEED * width_px, FIRST_GROWTH, FIRST_GROWTH])


def _values(box: FaceBox) -> kalman.Vector:
    return np.array(
        [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2, math.log(box.width), math.log(box.height / box.width)]
    )


def _box(values: kalman.Vector, score: float = 0.0, predicted: bool = False) -> FaceBox:
    x, y, log_width, log_aspect = (float(value) for value in values)
    half_width = math.exp(log_width) / 2
    half_height = half_width * math.exp(log_aspect)
    return FaceBox(x - half_width, y - half_height, x + half_width, y + half_height, score, predicted)
