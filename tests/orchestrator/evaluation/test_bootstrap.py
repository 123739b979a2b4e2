"""The paired bootstrap: deterministic, and true to its law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.evaluation.bootstrap import paired_bootstrap

COUNTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12)


def mean(sums):
    return float(sums[0] / sums[1])


def statistics(values):
    return np.array([[value, 1.0] for value in values], np.float64)


def test_the_same_seed_gives_the_same_gain():
    chance = np.random.default_rng(1)
    better, base = statistics(chance.normal(1, 1, 40)), statistics(chance.normal(0, 1, 40))
    first, again = (paired_bootstrap(better, base, mean, seed=5) for _ in range(2))
    assert first == again
    assert first != paired_bootstrap(better, base, mean, seed=6)


@given(COUNTS)
def test_the_interval_holds_gains_that_can_be_and_the_order_matters_only_for_the_sign(pairs):
    better, base = statistics([one for one, _ in pairs]), statistics([other for _, other in pairs])
    gain = paired_bootstrap(better, base, mean, resamples=50)
    back = paired_bootstrap(base, better, mean, resamples=50)
    differences = [one - other for one, other in pairs]
    assert min(differences) - 1e-9 <= gain.low <= gain.high <= max(differences) + 1e-9
    assert gain.gain == pytest.approx(np.mean(differences))
    assert (back.gain, back.low, back.high) == pytest.approx((-gain.gain, -gain.high, -gain.low))
    assert 1 / 51 <= gain.p_value <= 1


def test_what_is_better_in_every_paragraph_is_better_in_every_resampled_set():
    base = statistics(np.arange(20.0))
    gain = paired_bootstrap(base + np.array([2.0, 0.0]), base, mean, resamples=200)
    assert (gain.low, gain.gain, gain.high) == pytest.approx((2.0, 2.0, 2.0))
    assert gain.p_value == pytest.approx(1 / 201)


def test_no_difference_is_no_gain():
    base = statistics(np.arange(20.0))
    gain = paired_bootstrap(base, base, mean, resamples=200)
    assert (gain.gain, gain.low, gain.high, gain.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_the_interval_is_as_wide_as_the_standard_error_of_the_mean_says():
    values = np.random.default_rng(3).normal(0.0, 1.0, 400)
    gain = paired_bootstrap(statistics(values), statistics(np.zeros(400)), mean, resamples=2000)
    assert gain.high - gain.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


@pytest.mark.parametrize(("better", "base"), [(3, 4), (0, 0)])
def test_what_is_no_pairs_is_refused(better, base):
    with pytest.raises(ValueError, match="no pairs"):
        paired_bootstrap(np.ones((better, 2)), np.ones((base, 2)), mean)
