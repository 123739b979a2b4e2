import numpy as np
import pytest
from generate.ranking import largest, log_sum_exp, tops, weights
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.sampled_from([1, 7, 511, 2047, 2048, 2049, 5000, 65_001])


@given(st.integers(0, 1000), SIZES, st.integers(1, 40), st.booleans())
def test_the_largest_are_those_of_a_full_sort_and_equal_ones_come_in_order(
    seed: int, size: int, k: int, coarse: bool
) -> None:
    values = np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    if coarse:  # many ties
        values = np.round(values)
    expected = np.lexsort((np.arange(size), -values))[:k]
    assert largest(values, k).tolist() == expected.tolist()


@given(st.integers(0, 1000), st.sampled_from([3, 900, 2500, 4096]), st.integers(1, 24))
def test_the_largest_of_several_rows_count_each_rows_offset(seed: int, size: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((4, size)).astype(np.float32)
    offsets = rng.standard_normal(4).astype(np.float32)
    rows, places = tops(values).largest(min(k, values.size), offsets)
    shifted = (values + offsets[:, None]).reshape(-1)
    expected = np.lexsort((np.arange(shifted.size), -shifted))[:k]
    assert (rows * size + places).tolist() == expected.tolist()


def test_forbidden_tokens_are_the_last_to_be_taken() -> None:
    values = np.full(5000, -np.inf, np.float32)
    values[[17, 4999]] = 0.5, 0.25
    assert largest(values, 3)[:2].tolist() == [17, 4999]


def test_the_softmax_is_that_of_double_precision() -> None:
    row = (np.random.default_rng(0).standard_normal(65_001) * 5).astype(np.float32)
    exact = row.astype(np.float64) - row.max()
    assert log_sum_exp(row, float(row.max())) == pytest.approx(np.log(np.exp(exact).sum()) + row.max(), abs=1e-5)
    shares = weights(row, float(row.max()), 0.7)
    np.testing.assert_allclose(shares, np.exp(exact / 0.7), rtol=1e-4)
