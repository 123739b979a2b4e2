import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.visual.geometry import Rect
from orchestrator.visual.resample import resample


def ramp(width=120, height=90):
    """Value = x + 2 y at every pixel's centre."""
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    return (xs + 2 * ys).astype(np.float32)


@given(st.floats(10, 60), st.floats(10, 40), st.floats(5, 50), st.integers(4, 64))
def test_a_plane_keeps_its_place_to_a_fraction_of_a_pixel(x, y, side, size):
    shown = resample(ramp(), Rect(x, y, x + side, y + side), (size, size))
    centres = (np.arange(size) + 0.5) * side / size
    expected = (x + centres)[None, :] + 2 * (y + centres)[:, None]
    assert np.abs(shown - expected)[1:-1, 1:-1].max() < 0.15  # OpenCV places samples on a grid of 1/32 pixel


def test_the_same_grid_is_a_copy():
    image = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
    assert np.array_equal(resample(image, Rect(5, 4, 25, 14), (20, 10)), image[4:14, 5:25])


def test_fine_texture_becomes_its_mean_when_it_is_reduced():
    board = np.indices((96, 96)).sum(axis=0) % 2 * np.uint8(200)
    for shift in (0.0, 0.3, 0.7):
        small = resample(board.astype(np.uint8), Rect(10 + shift, 10, 82 + shift, 82), (12, 12))
        assert np.abs(small.astype(int) - 100).max() <= 8


def test_the_edge_is_repeated_outside_the_picture():
    image = np.arange(16, dtype=np.float32).reshape(4, 4)
    shown = resample(image, Rect(-4, 0, 4, 4), (8, 4))
    assert np.array_equal(shown[:, :4], np.repeat(image[:, :1], 4, axis=1))


@pytest.mark.parametrize("size", [8, 40, 150])
def test_nothing_stays_nothing_whatever_the_enlargement(size):
    shown = resample(np.zeros((40, 40), np.float32), Rect(3.3, 4.4, 33.3, 34.4), (size, size), cv2.INTER_CUBIC)
    assert not shown.any()
