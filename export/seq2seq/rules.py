"""How tokens are chosen, for greedy and beam decoding alike."""

from dataclasses import dataclass

import numpy as np

from export.seq2seq.runner import Floats


@dataclass(frozen=True)
class Rules:
    """What a text may consist of."""

    eos: int
    suppress: tuple[int, ...] = ()
    """Never chosen."""
    begin_suppress: tuple[int, ...] = ()
    """Not chosen as the first new token."""
    forced_last: int | None = None
    """Chosen as the last new token that the limit allows, whatever the scores say."""

    def apply(self, scores: Floats, done: int, limit: int) -> Floats:
        """Return the scores [rows, vocab] (logits or their logarithmic softmax) with -inf where nothing may be chosen.

        `done`: new tokens so far; `limit`: the most that there may be.
        """
        ruled = scores.copy()
        if done == limit - 1 and self.forced_last is not None:
            ruled[:] = -np.inf
            ruled[:, self.forced_last] = 0
            return ruled
        ruled[:, list(self.suppress)] = -np.inf
        if done == 0:
            ruled[:, list(self.begin_suppress)] = -np.inf
        return ruled


def log_softmax(logits: Floats) -> Floats:
    """Return the logarithms of the probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_probabilities: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return log_probabilities


def divergence(expected: Floats, got: Floats) -> Floats:
    """Return the Kullback-Leibler divergence of what logits `got` say from `expected`, over the last axis, in nats."""
    wanted, have = log_softmax(expected.astype(np.float64)), log_softmax(got.astype(np.float64))
    nats: Floats = (np.exp(wanted) * (wanted - have)).sum(axis=-1)
    return nats
