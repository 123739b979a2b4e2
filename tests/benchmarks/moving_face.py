"""A portrait that moves along known paths: what detectors and tracks are measured on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from client.contracts import UInt8Array

PORTRAIT = Path(__file__).parents[2] / "samples" / "astronaut.png"
FACE_XY, FACE_WIDTH = (224.0, 114.0), 96.0
"""Centre and width of the face in the portrait, as the Haar detector sees it."""
SIZE = (640, 360)
CENTRE_XY = (330.0, 175.0)
FPS = 25
SENSOR_NOISE = 2.0
"""Standard deviation in levels of 8 bits, new in every picture: without it a still face has no noise at all."""

Path3 = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]
"""Times [n] to offset x and y in face widths, and scale (1 = as at the start)."""


def _still(t: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    return 0 * t, 0 * t, 0 * t + 1


def _wave(t: NDArray[np.float64], per_s: float) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * per_s * t)


def _rise(t: NDArray[np.float64], begin_s: float, lasts_s: float) -> NDArray[np.float64]:
    share = np.clip((t - begin_s) / lasts_s, 0, 1)
    return share**2 * (3 - 2 * share)


MOTIONS: dict[str, Path3] = {
    "still": _still,
    "slow sway": lambda t: (0.12 * _wave(t, 0.4), 0.03 * _wave(t, 0.8), 0 * t + 1),
    "nod, 1 per s": lambda t: (0 * t, 0.15 * _wave(t, 1.0), 0 * t + 1),
    "fast nod, 1.5 per s": lambda t: (0.02 * _wave(t, 0.7), 0.15 * _wave(t, 1.5), 0 * t + 1),
    "shake, 1 per s": lambda t: (0.3 * _wave(t, 1.0), 0 * t, 0 * t + 1),
    "zoom": lambda t: (0 * t, 0 * t, 1.5 ** _rise(t, 0.5, 3.0)),
    "jerk": lambda t: (0.6 * (_rise(t, 1.5, 0.24) - _rise(t, 3.0, 0.24)), 0 * t, 0 * t + 1),
}
"""Fast ones are as fast as people are: a nod of 1.5 a second, half a face to the side in a quarter of a second."""


@dataclass(frozen=True, slots=True)
class MovingFace:
    """Where the face truly is: arrays [n], pixels of the picture."""

    times_s: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    width: NDArray[np.float64]


def moving_face(motion: str, seconds: float, width_px: float) -> MovingFace:
    """Return the path of a face that is `width_px` wide at the start."""
    times_s = np.arange(round(seconds * FPS)) / FPS
    dx, dy, scale = MOTIONS[motion](times_s)
    return MovingFace(times_s, CENTRE_XY[0] + dx * width_px, CENTRE_XY[1] + dy * width_px, scale * width_px)


def pictures(path: MovingFace, seed: int = 0) -> Iterator[UInt8Array]:
    """Yield the pictures, RGB [h, w, 3]: the portrait moved as a whole, its edge repeated, with sensor noise."""
    portrait = cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB)
    random = np.random.default_rng(seed)
    for x, y, width in zip(path.x, path.y, path.width, strict=True):
        step = FACE_WIDTH / width
        # From the index of a pixel to the index of the portrait's; centres lie half a pixel behind the borders.
        matrix = np.array(
            [
                [step, 0.0, FACE_XY[0] - 0.5 + (0.5 - x) * step],
                [0.0, step, FACE_XY[1] - 0.5 + (0.5 - y) * step],
            ]
        )
        moved = cv2.warpAffine(
            portrait, matrix, SIZE, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
        noisy = moved + random.normal(0, SENSOR_NOISE, moved.shape).astype(np.float32)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
