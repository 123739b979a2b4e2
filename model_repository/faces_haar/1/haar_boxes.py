"""Rows of BOXES. Pure: numpy only."""

import numpy as np
from numpy.typing import NDArray

_EVEN_CHANCE_HITS = 6.0
"""Overlapping hits at which the score is 0.5."""


def score_of_hits(hits: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return hits / (hits + 6): how many windows around a place the cascade took for a face, mapped into 0..1.

    The cascade's own level weights hardly tell faces from false alarms (55.9..57.0 for both), the hits do: 25..47 on
    faces that look at the camera, 5 to 15 on one tilted by 15 degrees, 8 at most on nearly all that is no face.
    """
    return (hits / (hits + _EVEN_CHANCE_HITS)).astype(np.float32)


def face_rows(
    places: NDArray[np.integer], hits: NDArray[np.integer], scale: float, frame_shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Make rows x1 y1 x2 y2 score, largest face first, of `places` [k, 4] (x y width height) and `hits` [k].

    `scale`: pixels of the frame per pixel of the picture that was searched; `frame_shape`: height and width in pixels,
    which no box exceeds.
    """
    height_px, width_px = frame_shape[:2]
    x, y, width, height = places.reshape(-1, 4).astype(np.float32).T * np.float32(scale)
    right, bottom = np.minimum(x + width, width_px), np.minimum(y + height, height_px)
    rows = np.stack([x, y, right, bottom, score_of_hits(hits.reshape(-1))], axis=1)
    return rows[np.argsort(-width * height, kind="stable")]
