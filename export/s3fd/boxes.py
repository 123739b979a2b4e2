"""How far boxes of the same anchors are apart. The place where boxes are decoded is model_repository/s3fd_boxes."""

import numpy as np
from numpy.typing import NDArray

CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
"""As in model_repository/s3fd_boxes/1/s3fd_decode.py, which export cannot import; a test holds them together."""

FACE_SCORE = 0.5
"""Published threshold of a face; likewise."""


def lost_overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return 1 - the least IoU among the anchors that either takes for a face; 0 when there is none.

    Rows [anchors, 5] of the same anchors: probability, dx dy dw dh. In units of the anchor's side its place and size
    cancel out.
    """
    faces = np.maximum(one[:, 0], other[:, 0]) > FACE_SCORE
    low_a, high_a = _corners(one[faces, 1:])
    low_b, high_b = _corners(other[faces, 1:])
    both = (np.minimum(high_a, high_b) - np.maximum(low_a, low_b)).clip(min=0).prod(axis=1)
    union = (high_a - low_a).prod(axis=1) + (high_b - low_b).prod(axis=1) - both
    return float(np.max(1 - both / union, initial=0.0))


def _corners(offsets: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    centres = offsets[:, :2].astype(np.float64) * CENTRE_VARIANCE
    halves = np.exp(offsets[:, 2:].astype(np.float64) * SIZE_VARIANCE) / 2
    return centres - halves, centres + halves
