"""Finds the mouth in a face crop, without a trained model.

The face box already says roughly where the mouth is (the prior). Around that, every likely frame is tried: the right
one is where the edges run along the fan of curves between its corners, so that the averages along the curves differ
most. Both kinds of edge must be there, darker-below and brighter-below, which a beard's or a jaw's single edge does
not offer. The answer is the mean over all frames, weighted by how well they fit, not the best one: it moves smoothly
with the picture, so the mouth does not jump between frames of a clip.
"""

from itertools import product

import cv2
import numpy as np
from mouth_model import Float32, Float64, MouthFrame, UInt8, View, fan_points

_WORKING_SIZE_PX = 128
"""The search runs at this size; the lip line is read from the full crop afterwards."""
_EDGE_BLUR_PX, _LIGHT_BLUR_PX = 1.2, 6.0
_EDGE_KNEE = 0.12
"""Relative brightness step per pixel above which an edge counts no more: white teeth or a collar must not win."""

_PRIOR_MEAN = np.array([0.50, 0.576, 0.0, 0.144])
_PRIOR_DEVIATION = np.array([0.048, 0.028, np.deg2rad(8.0), 0.028])
"""x, y, angle, half width of mouths in crops of a face box with the config's `crop_margins`."""
_PRIOR_WEIGHT, _EDGE_WEIGHT = 0.8, 8.0
_WIDTH_EXPONENT = 1.6
"""Edges are averaged over the width, which favours narrow frames; this favours wide ones up to the corners."""
_SHARPNESS = 3.0
"""Of the weights over the frames: higher follows the best frame, lower is steadier."""
_DARKER_CENTRE, _BRIGHTER_CENTRE, _SAG_DEVIATION = 0.02, 0.22, 0.26
"""Downwards it gets darker at the upper lip and brighter at teeth or lower lip: where to expect that, as sags."""


_FINE_ROUNDS = 2


class _Fan:
    """One set of curves to average along, with its weights."""

    def __init__(self, sag_count: int, across_count: int, reach: float) -> None:
        self.sags = np.linspace(-0.35, 0.70, sag_count)
        self.across = np.linspace(-reach, reach, across_count)
        weights = np.sqrt(1.0 - self.across**2)
        self.across_weights = (weights / weights.sum()).astype(np.float32)
        self.darker_weights, self.brighter_weights = (
            (15.0 / sag_count * np.exp(-0.5 * ((self.sags - centre) / _SAG_DEVIATION) ** 2)).astype(np.float32)
            for centre in (_DARKER_CENTRE, _BRIGHTER_CENTRE)
        )

    def edges(self, values: Float32) -> Float32:
        """Average [n, sags, across] along the curves: [n, sags]."""
        averages: Float32 = values @ self.across_weights
        return averages


class MouthLocator:
    """Searches crops of any size; keeps the table of the coarse search."""

    def __init__(self) -> None:
        """Lay out the coarse search once: which pixel every curve of every frame reads."""
        self._frames = np.array(
            list(
                product(
                    np.linspace(0.416, 0.584, 12),
                    np.linspace(0.50, 0.67, 11),
                    np.deg2rad([-14.0, -7.0, 0.0, 7.0, 14.0]),
                    [0.112, 0.135, 0.158, 0.186],
                )
            )
        )
        self._coarse = _Fan(sag_count=15, across_count=11, reach=0.92)
        x, y = fan_points(self._frames, self._coarse.sags, self._coarse.across)
        last = _WORKING_SIZE_PX - 1
        columns = np.clip(np.round(x * _WORKING_SIZE_PX - 0.5), 0, last)
        rows = np.clip(np.round(y * _WORKING_SIZE_PX - 0.5), 0, last)
        self._pixels = (rows * _WORKING_SIZE_PX + columns).astype(np.int32)
        self._fine = _Fan(sag_count=25, across_count=17, reach=0.95)
        self._steps = np.array(
            list(
                product(
                    [-0.012, 0.0, 0.012],
                    [-0.017, -0.0085, 0.0, 0.0085, 0.017],
                    np.deg2rad([-5.0, 0.0, 5.0]),
                    [-0.013, 0.0, 0.013],
                )
            )
        )

    def locate(self, crop: UInt8) -> MouthFrame:
        """Return the frame of the mouth in an RGB crop [s, s, 3]."""
        edges = _edge_map(crop)
        coarse = self._coarse.edges(np.take(edges.ravel(), self._pixels))
        middle = _weighted_mean(self._frames, _fit(coarse, self._coarse, self._frames))
        view = View(edges, 0, 0, _WORKING_SIZE_PX)
        for _ in range(_FINE_ROUNDS):
            frames = middle + self._steps
            fine = self._fine.edges(view.read(*fan_points(frames, self._fine.sags, self._fine.across)))
            middle = _weighted_mean(frames, _fit(fine, self._fine, frames))
        x, y, angle_rad, half_width = middle
        return MouthFrame(float(x), float(y), float(angle_rad), float(half_width))


def _edge_map(crop: UInt8) -> Float32:
    """Brightness steps downwards, relative to the light around: -1..1, [_WORKING_SIZE_PX, _WORKING_SIZE_PX].

    The darker of green and blue is read: lips are darker in it than skin of any tone, teeth are brighter.
    """
    size = (_WORKING_SIZE_PX, _WORKING_SIZE_PX)
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    tone = cv2.GaussianBlur(np.minimum(small[..., 1], small[..., 2]), (0, 0), _EDGE_BLUR_PX)
    light = cv2.GaussianBlur(tone, (0, 0), _LIGHT_BLUR_PX) + 4.0
    step = cv2.Sobel(tone, cv2.CV_32F, 0, 1, ksize=3) / 8.0 / light
    return np.tanh(step / _EDGE_KNEE).astype(np.float32)


def _fit(edges: Float32, fan: _Fan, frames: Float64) -> Float64:
    """Log weight of every frame [n] from its averaged edges [n, sags]."""
    darker = np.minimum(edges, 0.0) ** 2 @ fan.darker_weights
    brighter = np.maximum(edges, 0.0) ** 2 @ fan.brighter_weights
    width = (frames[:, 3] / _PRIOR_MEAN[3]) ** _WIDTH_EXPONENT
    evidence = np.sqrt(2.0 * np.sqrt(darker * brighter) * width)
    distance = (((frames - _PRIOR_MEAN) / _PRIOR_DEVIATION) ** 2).sum(axis=1)
    fit: Float64 = _EDGE_WEIGHT * evidence - 0.5 * _PRIOR_WEIGHT * distance
    return fit


def _weighted_mean(frames: Float64, fit: Float64) -> Float64:
    weights = np.exp((fit - fit.max()) * _SHARPNESS)
    mean: Float64 = weights @ frames / weights.sum()
    return mean
