"""Rows of the faces contract's BOXES: x1 y1 x2 y2 in pixels, score. Needs nothing but numpy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def padded(frames_rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Stack rows [k_i, 5] of frames into [frames, k, 5], k the largest k_i and at least 1; padding is 0 throughout.

    At least one row, so that "no face" needs no tensor of size 0, which not every client and backend passes on.
    """
    most = max([1, *(len(rows) for rows in frames_rows)])
    return np.stack([np.pad(rows, ((0, most - len(rows)), (0, 0))) for rows in frames_rows])
