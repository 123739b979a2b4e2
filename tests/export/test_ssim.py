import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.ssim import ssim


def picture(seed: int, size: tuple[int, int] = (16, 20)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_it_is_symmetric_one_for_equal_pictures_and_never_more(one, other):
    a, b = picture(one), picture(other)
    assert ssim(a, a) == pytest.approx(1)
    assert ssim(a, b) == pytest.approx(ssim(b, a))
    assert -1 <= ssim(a, b) <= 1 + 1e-12


def test_it_falls_as_noise_grows():
    base = np.kron(picture(1, (4, 4)), np.ones((8, 8, 1), np.uint8))
    noise = np.random.default_rng(2).standard_normal(base.shape)
    values = [ssim(base, (base + sigma * noise).clip(0, 255).astype(np.uint8)) for sigma in (1, 5, 20, 80)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.95 > values[-1]


def test_flat_pictures_differ_by_luminance_alone():
    dark, light = np.full((11, 11, 1), 60, np.uint8), np.full((11, 11, 1), 120, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(dark, light) == pytest.approx((2 * 60 * 120 + c1) / (60**2 + 120**2 + c1))


def test_a_window_is_weighed_as_the_paper_says():
    a, b = picture(3, (11, 11))[..., :1].astype(float)[..., 0], picture(4, (11, 11))[..., :1].astype(float)[..., 0]
    rows, columns = np.mgrid[-5:6, -5:6]
    weights = np.exp(-(rows**2 + columns**2) / (2 * 1.5**2))
    weights /= weights.sum()
    mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
    var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
    cov = (weights * (a - mean_a) * (b - mean_b)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * mean_a * mean_b + c1) * (2 * cov + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    assert ssim(a[..., None].astype(np.uint8), b[..., None].astype(np.uint8)) == pytest.approx(expected)


@pytest.mark.parametrize("other", [picture(0, (16, 21)), picture(0, (10, 20))])
def test_pictures_of_other_or_too_small_sizes_are_refused(other):
    with pytest.raises(ValueError, match="two pictures of one size"):
        ssim(picture(0), other) if other.shape[0] > 10 else ssim(other, other)
