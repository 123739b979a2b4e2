"""From what the network says of every anchor to faces: the one place of S3FD's decoding. Pure: numpy only.

The values are the published detector's: `detect.py`, `bbox.py` and `sfd_detector.py` in face_alignment/detection/sfd
of the project face-alignment, of which Wav2Lip carries a copy. The background's max-out, which needs the network's raw
labels, is in the graph (export/s3fd/network.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

STRIDES_PX = (4, 8, 16, 32, 64, 128)
"""Between the anchors of each level (detect.py: 2 ** (i + 2)). The first centre lies half a stride from the corner."""

ANCHOR_SIDE_STRIDES = 4
"""Side of an anchor, in strides of its level (detect.py): 16 to 512 px."""

CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
"""What the offsets were divided by in training (detect.py: variances)."""

CANDIDATE_SCORE = 0.05
"""Anchors up to it are never looked at (detect.py)."""

MOST_FACES = 100
"""Per frame; the best are kept. Ours: the published loop has no end, and a network gone wrong must not take minutes."""


def faces_of(
    levels: Sequence[Float32Array], face_score: float, nms_overlap: float, most: int = MOST_FACES
) -> Float32Array:
    """Return the faces of one frame, best first: rows x1 y1 x2 y2 score in pixels of the frame, shape [k, 5].

    `levels`: for each stride an array [h, w, 5]: face probability, dx dy dw dh. Faces score more than `face_score`
    (published 0.5). As published, boxes may reach over the frame's edges.

    The published order is: candidates above 0.05, suppression, faces above 0.5. A box is only ever suppressed by a
    better one, so leaving those up to 0.5 out before the suppression gives the same faces for less work.
    """
    above = max(face_score, CANDIDATE_SCORE)
    rows = np.concatenate([_candidates(level, stride, above) for level, stride in zip(levels, STRIDES_PX, strict=True)])
    return suppressed(rows, nms_overlap, most)


def suppressed(rows: Float32Array, overlap: float, most: int = MOST_FACES) -> Float32Array:
    """Non-maximum suppression: keep the best row, drop those that overlap it by more than `overlap`, and so on.

    `rows` [n, 5] as of `faces_of`, in any order. The overlap is intersection over union of boxes whose last pixel
    belongs to them (bbox.py: sides are x2 - x1 + 1).
    """
    left = rows[np.argsort(-rows[:, 4], kind="stable")]
    kept: list[Float32Array] = []
    while len(left) and len(kept) < most:
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[_overlaps(best, left) <= overlap]
    return np.stack(kept) if kept else rows[:0]


def _candidates(level: Float32Array, stride_px: int, above: float) -> Float32Array:
    row, column = np.nonzero(level[..., 0] > above)
    score, offsets = level[row, column, 0], level[row, column, 1:]
    side = np.float32(stride_px * ANCHOR_SIDE_STRIDES)
    anchors = (np.stack([column, row], axis=1) + np.float32(0.5)) * np.float32(stride_px)
    with np.errstate(over="ignore", invalid="ignore"):  # such boxes are dropped below
        centres = anchors + offsets[:, :2] * np.float32(CENTRE_VARIANCE) * side
        sizes = side * np.exp(offsets[:, 2:] * np.float32(SIZE_VARIANCE))
        corners = centres - sizes / 2
        rows = np.concatenate([corners, corners + sizes, score[:, np.newaxis]], axis=1, dtype=np.float32)
        # Only a broken network gives these, and a caller cannot use them.
        usable = np.isfinite(rows).all(axis=1) & (rows[:, :2] < rows[:, 2:4]).all(axis=1)
    return rows[usable]


def _overlaps(box: Float32Array, rows: Float32Array) -> Float32Array:
    """Return the overlap of one row with each of `rows`."""
    low, high = np.maximum(box[:2], rows[:, :2]), np.minimum(box[2:4], rows[:, 2:4])
    both = np.maximum(high - low + 1, 0).prod(axis=1)
    area = (box[2:4] - box[:2] + 1).prod()
    union = area + (rows[:, 2:4] - rows[:, :2] + 1).prod(axis=1) - both
    return np.asarray(both / union, np.float32)
