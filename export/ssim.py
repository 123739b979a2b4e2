"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, "Image Quality Assessment", equation 13)."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_WINDOW = 11
_SIGMA = 1.5
_RANGE = 255.0
_C1 = (0.01 * _RANGE) ** 2
_C2 = (0.03 * _RANGE) ** 2


def ssim(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the mean SSIM of two uint8 pictures [height, width, channels], -1..1; channels are averaged.

    Gaussian window of 11x11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03, only where the window fits wholly, as in the
    paper; so each side must have 11 pixels or more (ValueError).
    """
    if one.shape != other.shape or one.ndim != 3 or min(one.shape[:2]) < _WINDOW:
        raise ValueError(f"two pictures of one size, {_WINDOW} px or more, expected; got {one.shape} and {other.shape}")
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x = _blurred(x * x) - mean_x**2
    variance_y = _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    structure = (2 * covariance + _C2) / (variance_x + variance_y + _C2)
    return float(np.mean(luminance * structure))


def _blurred(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh by the Gaussian along both axes; the picture loses 10 pixels a side."""
    offsets = np.arange(_WINDOW) - _WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    for axis in (0, 1):
        picture = sliding_window_view(picture, _WINDOW, axis=axis) @ weights
    return picture
