"""How loud the source's own sound is under the dub, sample by sample: a pure rule of where somebody speaks."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

ATTACK_S = 0.08
"""The sound becomes quieter over this time and is as quiet as it gets when speech begins."""
RELEASE_S = 0.3
"""It comes back over this time after speech."""
BRIDGE_S = 0.6
"""In a shorter pause it stays quiet: coming back and going again at once is heard as pumping. Nothing that lies further
away counts, so what is played is final so long after the speech around it is known."""

Span = tuple[float, float]


def duck_gains(
    spans: Iterable[Span], first: int, count: int, sample_rate_hz: int, level_db: float
) -> NDArray[np.float32]:
    """Return the factors, [count], of the samples from `first` on: 1 far from speech, `level_db` (<= 0) inside it.

    `spans`: (start, end) in seconds, in any order, overlapping or not: all within BRIDGE_S of those samples.
    """
    knots: list[tuple[float, float]] = []
    for start_s, end_s in joined(spans):
        knots += [(start_s - ATTACK_S, 0.0), (start_s, 1.0), (end_s, 1.0), (end_s + RELEASE_S, 0.0)]
    if not knots:
        return np.ones(count, np.float32)
    at_s, depth = zip(*knots, strict=True)
    times_s = (first + np.arange(count)) / sample_rate_hz
    gains: NDArray[np.float32] = np.power(10.0, np.interp(times_s, at_s, depth) * level_db / 20.0).astype(np.float32)
    return gains


def joined(spans: Iterable[Span]) -> Sequence[Span]:
    """Return the spans in order, those that overlap or have less than BRIDGE_S between them as one."""
    together: list[Span] = []
    for start_s, end_s in sorted(spans):
        if together and start_s - together[-1][1] < BRIDGE_S:
            together[-1] = (together[-1][0], max(together[-1][1], end_s))
        else:
            together.append((start_s, end_s))
    return together
