"""Resampling between a part of one plane and a grid of pixels, with sub-pixel placement and without aliasing."""

import math
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from orchestrator.visual.geometry import Rect

Sample = TypeVar("Sample", np.uint8, np.float32)


def resample(
    image: NDArray[Sample], region: Rect, size: tuple[int, int], interpolation: int = cv2.INTER_LINEAR
) -> NDArray[Sample]:
    """Show `region` of `image` [h, w] or [h, w, c] on a grid of `size` (width, height) pixels of the same dtype.

    Beyond the border the image's edge is repeated. Where the grid is coarser than the image, every pixel is the mean
    of a k x k grid of samples, k being the reduction rounded up: fine texture must not flicker when the region moves
    by fractions of a pixel.
    """
    width, height = size
    reduction = max(region.width / width, region.height / height)
    fold = max(1, math.ceil(reduction - 1e-6))
    step_x, step_y = region.width / (width * fold), region.height / (height * fold)
    # From the index of a sample to the index of the image's pixel; centres lie half a step behind the borders.
    index_map = np.array(
        [[step_x, 0.0, region.x1 + (step_x - 1) / 2], [0.0, step_y, region.y1 + (step_y - 1) / 2]], np.float64
    )
    samples = cv2.warpAffine(
        image,
        index_map,
        (width * fold, height * fold),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if fold > 1:
        samples = cv2.resize(samples, size, interpolation=cv2.INTER_AREA)
    return samples  # type: ignore[return-value]  # OpenCV keeps the dtype
