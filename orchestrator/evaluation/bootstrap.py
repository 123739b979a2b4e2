"""Paired bootstrap over paragraphs (Koehn 2004): is one way of translating better than another, or was it chance?"""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
SEED = 20_040
Statistics = NDArray[np.float64]
"""[paragraphs, k]: what a metric counts; a corpus's score follows from the sum over its paragraphs."""
ScoreOf = Callable[[NDArray[np.float64]], float]
"""Sums [k] -> score."""


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """How much better."""

    gain: float
    """Of the whole set."""
    low: float
    """95 % interval of the gain, from the resampled sets."""
    high: float
    p_value: float
    """Share of resampled sets without any gain (one-sided), at least 1 / (RESAMPLES + 1)."""


def paired_bootstrap(
    better: Statistics, base: Statistics, score: ScoreOf, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Gain:
    """Compare `better` with `base` on the same paragraphs, drawn with replacement `resamples` times.

    Raises:
        ValueError: they are not of the same paragraphs, or of none.
    """
    if better.shape != base.shape or not len(better):
        raise ValueError(f"statistics of shapes {better.shape} and {base.shape} are no pairs")
    chance = np.random.default_rng(seed)
    gains = np.empty(resamples)
    for number in range(resamples):
        drawn = chance.integers(len(better), size=len(better))
        gains[number] = score(better[drawn].sum(axis=0)) - score(base[drawn].sum(axis=0))
    low, high = np.percentile(gains, [2.5, 97.5])
    without = int((gains <= 0).sum())
    whole = score(better.sum(axis=0)) - score(base.sum(axis=0))
    return Gain(gain=whole, low=float(low), high=float(high), p_value=(without + 1) / (resamples + 1))
