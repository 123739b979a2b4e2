"""How the sample's head moves: sways, nods and blinks, as displacements of the still portrait.

Coordinates are pixels of astronaut.png (512 x 512) unless a name says otherwise.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]

HEAD_XY = (228.0, 95.0)
_HEAD_REACH_X, _HEAD_REACH_UP, _HEAD_REACH_DOWN = 84.0, 96.0, 82.0
_NECK_XY = (226.0, 185.0)
"""The head turns around the top of the neck."""
_FADES_OVER = 0.75
"""Of the head's reach: hair and throat pass the movement on to a background that stands still."""
_BLINKS_S = (0.42, 3.08, 5.35, 7.75)
_BLINK_COURSE = (0.0, 0.55, 1.0, 1.0, 0.65, 0.25, 0.0)
"""Closedness of the lids at 25 frames per second."""


@dataclass(frozen=True, slots=True)
class _Eye:
    """Corners of the lids, and how far the lashes lie above and below the line between them."""

    left_xy: tuple[float, float]
    right_xy: tuple[float, float]
    above: float
    below: float


_EYES = (_Eye((192.5, 100.4), (213.6, 103.2), 5.6, 3.0), _Eye((236.8, 105.0), (258.9, 104.3), 5.4, 2.6))
_LASH_HEIGHT = 2.2
_LID_HEIGHT = 4.6
"""Between the lashes and the fold above them: the skin that stretches down over the eye."""


def blink_at(time_s: float) -> float:
    """How far the lids are closed, 0..1."""
    for start_s in _BLINKS_S:
        position = (time_s - start_s) * 25.0
        if 0.0 <= position <= len(_BLINK_COURSE) - 1:
            return float(np.interp(position, range(len(_BLINK_COURSE)), _BLINK_COURSE))
    return 0.0


def close_eyes(picture: Picture, closedness: float, zoom: float, origin_xy: tuple[float, float]) -> Picture:
    """Draw both upper lids down over the eyes; `picture` shows the portrait enlarged by `zoom` from `origin_xy` on."""
    if closedness <= 0.0:
        return picture
    for eye in _EYES:
        picture = _close_eye(picture, eye, closedness, zoom, origin_xy)
    return picture


def _close_eye(picture: Picture, eye: _Eye, closedness: float, zoom: float, origin_xy: tuple[float, float]) -> Picture:
    columns, rows = _pixel_grid(picture)
    x, y = columns / zoom + origin_xy[0], rows / zoom + origin_xy[1]
    (x1, y1), (x2, y2) = eye.left_xy, eye.right_xy
    across = (2.0 * x - x1 - x2) / (x2 - x1)
    lens = np.maximum(1.0 - across**2, 0.0)
    line = y1 + (y2 - y1) * (x - x1) / (x2 - x1)
    drop = closedness * (eye.above + eye.below) * lens
    above_lashes = line - eye.above * lens + drop - y
    stretched = np.clip((above_lashes - _LASH_HEIGHT) / (drop + _LID_HEIGHT - _LASH_HEIGHT), 0.0, 1.0)
    moved = cv2.remap(picture, columns, rows - (drop * (1.0 - stretched) * zoom).astype(np.float32), cv2.INTER_CUBIC)
    lid = np.clip(above_lashes + 0.5 + _LASH_HEIGHT * 0.5, 0.0, 1.0)[..., None]
    return np.rint(picture * (1.0 - lid) + moved * lid).astype(np.uint8)


def moved_head(picture: Picture, time_s: float, nod: float, zoom: float, origin_xy: tuple[float, float]) -> Picture:
    """Turn, shift and nod the head as it is at `time_s`; `nod` (0..1) follows the loudness of the speech."""
    columns, rows = _pixel_grid(picture)
    x, y = columns / zoom + origin_xy[0], rows / zoom + origin_xy[1]
    angle = np.deg2rad(1.9 * _wave(time_s, 5.3) + 0.8 * _wave(time_s, 2.4, 0.3))
    shift_x = 2.6 * _wave(time_s, 6.1, 0.1) + 0.8 * _wave(time_s, 2.9)
    shift_y = 1.2 * _wave(time_s, 4.1, 0.6) + 2.2 * nod
    scale = 1.0 + 0.012 * _wave(time_s, 7.0)
    from_x, from_y = x - _NECK_XY[0] - shift_x, y - _NECK_XY[1] - shift_y
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    to_x = _NECK_XY[0] + cosine * from_x + sine * from_y - x
    to_y = _NECK_XY[1] - sine * from_x + cosine * from_y - y
    share = _head_share(x, y)
    return _sampled(picture, columns + share * to_x * zoom, rows + share * to_y * zoom)


def camera(picture: Picture, time_s: float, size_px: int) -> Picture:
    """Cut the final frame out of the larger canvas: a hand-held camera that drifts and closes in a little."""
    spare = (len(picture) - size_px) / 2.0
    zoom = 1.0 + 0.022 * (0.5 - 0.5 * float(np.cos(2.0 * np.pi * time_s / 9.0)))
    step = 1.0 / zoom
    middle = len(picture) / 2.0
    half = size_px * step / 2.0
    left = middle - half + 0.5 * spare * _wave(time_s, 8.3, 0.2)
    top = middle - half + 0.35 * spare * _wave(time_s, 6.7)
    columns, rows = _pixel_grid(picture[:size_px, :size_px])
    return _sampled(picture, left + (columns + 0.5) * step - 0.5, top + (rows + 0.5) * step - 0.5)


def _head_share(x: Float32, y: Float32) -> Float32:
    """1 on the head, 0 on the background, smooth between."""
    reach_y = np.where(y < HEAD_XY[1], _HEAD_REACH_UP, _HEAD_REACH_DOWN)
    distance = np.hypot((x - HEAD_XY[0]) / _HEAD_REACH_X, (y - HEAD_XY[1]) / reach_y)
    outside = np.clip((distance - 1.0) / _FADES_OVER, 0.0, 1.0)
    share: Float32 = (1.0 - outside * outside * (3.0 - 2.0 * outside)).astype(np.float32)
    return share


def _wave(time_s: float, period_s: float, phase: float = 0.0) -> float:
    return float(np.sin(2.0 * np.pi * (time_s / period_s + phase)))


def _pixel_grid(picture: Picture) -> tuple[Float32, Float32]:
    height, width = picture.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return columns, rows


def _sampled(picture: Picture, columns: Float32, rows: Float32) -> Picture:
    sampled: Picture = cv2.remap(
        picture, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )  # type: ignore[assignment]
    return sampled
