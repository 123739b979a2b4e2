import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.precision.matmuls import block_of, quantise_blocks, quantise_columns, ratio


@given(rows=st.integers(1, 300), columns=st.integers(1, 6), block=st.sampled_from([16, 32, 128]), seed=st.integers(0))
def test_rounding_is_off_by_at_most_half_a_step_of_its_own_block(
    rows: int, columns: int, block: int, seed: int
) -> None:
    weight = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    blocks, scales = quantise_blocks(weight, block)
    off = (blocks.astype(np.float32) - 128) * scales[:, :, None]
    off.reshape(columns, -1)[:, :rows] -= weight.T
    assert blocks.shape == (columns, -(-rows // block), block)
    assert (np.abs(off) <= scales[:, :, None] * 0.501).all()


@given(rows=st.integers(1, 50), columns=st.integers(1, 6), seed=st.integers(0))
def test_rounding_columns_is_off_by_at_most_half_a_step(rows: int, columns: int, seed: int) -> None:
    weight = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    rounded, scales = quantise_columns(weight)
    assert (np.abs(rounded * scales - weight) <= scales * 0.501).all()


def test_a_weight_of_zeros_stays_zero() -> None:
    zeros = np.zeros((40, 3), np.float32)
    assert not quantise_columns(zeros)[0].any()
    assert (quantise_blocks(zeros, 32)[0] == 128).all()


@pytest.mark.parametrize(("size", "block"), [(8, 16), (64, 64), (96, 64), (128, 128), (768, 128)])
def test_blocks_are_powers_of_two_that_short_rows_fill(size: int, block: int) -> None:
    assert block_of(size) == block


@pytest.mark.parametrize("factor", [1.0, 512**0.5, -0.25])
def test_a_multiple_is_recognised(factor: float) -> None:
    table = np.random.default_rng(0).normal(size=(9000, 8)).astype(np.float32)
    assert ratio(table * np.float32(factor), table) == pytest.approx(factor)


def test_tables_that_differ_in_one_number_are_no_multiples_of_each_other() -> None:
    table = np.random.default_rng(0).normal(size=(9000, 8)).astype(np.float32)
    other = table.copy()
    other[8999, 7] += 0.01
    assert ratio(other, table) is None
    assert ratio(table, np.zeros_like(table)) is None
