"""Rows of BOXES. Pure: numpy only."""

import numpy as np
from numpy.typing import NDArray

_EVEN_CHANCE_HITS = 6.0
"""Overlapping hits at which the score is 0.5."""

_FACE_IN_WINDOW = (0.04, 0.08, 0.96, 1.17)
"""x1 y1 x2 y2 of a face as fractions of the cascade's window, which is square and ends between lip and chin. Read off
portraits that look at the camera. The task's boxes reach from hairline to chin and from cheek to cheek, as those of
detectors trained on WIDER FACE do, so that any lips engine can work with any detector."""


def score_of_hits(hits: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return hits / (hits + 6): how many windows around a place the cascade took for a face, mapped into 0..1.

    The cascade's own level weights hardly tell faces from false alarms (55.9..57.0 for both), the hits do: 25..47 on
    faces that look at the camera, 5 to 15 on one tilted by 15 degrees, 8 at most on nearly all that is no face.
    """
    return (hits / (hits + _EVEN_CHANCE_HITS)).astype(np.float32)


def face_rows(
    places: NDArray[np.integer], hits: NDArray[np.integer], scale: float, frame_shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Make rows x1 y1 x2 y2 score, largest face first, of windows `places` [k, 4] (x y width height) and `hits` [k].

    `scale`: pixels of the frame per pixel of the picture that was searched; `frame_shape`: height and width in pixels,
    which no box exceeds.
    """
    height_px, width_px = frame_shape[:2]
    x, y, width, height = places.reshape(-1, 4).astype(np.float32).T * np.float32(scale)
    x1, y1, x2, y2 = _FACE_IN_WINDOW
    sides = [x + x1 * width, y + y1 * height, x + x2 * width, y + y2 * height]
    inside = [
        np.clip(side, 0, limit) for side, limit in zip(sides, (width_px, height_px, width_px, height_px), strict=True)
    ]
    rows = np.stack([*inside, score_of_hits(hits.reshape(-1))], axis=1).astype(np.float32)
    return rows[np.argsort(-width * height, kind="stable")]
