"""Which tokens may come next: the rules of DecodingOptions for one generation, in transformers' order.

Source: transformers, generation/logits_process.py and generation/utils.py (`_get_logits_processor`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .generation import DecodingOptions

_FORBIDDEN = np.float32(-np.inf)
_FEW = 4
Places: TypeAlias = "tuple[int, ...] | NDArray[np.int64]"
"""An array, but for a few tokens, which are faster written one by one."""


class Rules:
    """Stateless but for the request's own facts: one object serves all rows of a generation."""

    def __init__(
        self, options: DecodingOptions, prompt: Sequence[int], eos: tuple[int, ...], max_new_tokens: int
    ) -> None:
        """`max_new_tokens`: as limited by the model's positions."""
        self._seen = np.array([*prompt, *options.seen], np.int64)
        self._penalty = np.float32(options.repetition_penalty)
        self._eos = _places(eos)
        self._min_new = options.min_new_tokens if eos else 0
        self._suppress = _places(options.suppress)
        self._begin_suppress = _places(options.begin_suppress)
        self._forced = dict(options.forced)
        if options.forced_eos and eos and max_new_tokens:
            self._forced.setdefault(max_new_tokens - 1, eos[0])
        self._own = options.rules
        self._penalises = options.repetition_penalty != 1.0
        self._idle_after = self._find_idle_after()

    def apply(self, generated: Sequence[int], logits: NDArray[np.float32]) -> None:
        """Change `logits` [vocab] (or log-probabilities) in place, for the token after `generated`."""
        count = len(generated)
        if self._penalises:
            self._penalise(generated, logits)
        if count < self._min_new:
            _forbid(logits, self._eos)
        _forbid(logits, self._suppress)
        if count == 0:
            _forbid(logits, self._begin_suppress)
        if count in self._forced:
            logits.fill(_FORBIDDEN)
            logits[self._forced[count]] = 0.0
        for rule in self._own:
            rule(generated, logits)

    def _penalise(self, generated: Sequence[int], logits: NDArray[np.float32]) -> None:
        seen = np.concatenate([self._seen, np.array(generated, np.int64)])
        scores = logits[seen]
        logits[seen] = np.where(scores < 0, scores * self._penalty, scores / self._penalty)

    def acts(self, count: int) -> bool:
        """Tell whether `apply` may change anything after so many new tokens."""
        return self._idle_after < 0 or count < self._idle_after

    def only_forbids(self, count: int) -> bool:
        """Tell whether `apply` then only writes minus infinity: on logits as well as on log-probabilities."""
        return not self._penalises and not self._own and count not in self._forced

    def _find_idle_after(self) -> int:
        """Return from how many new tokens on nothing is changed any more; -1: never."""
        if self._own or self._penalises or len(self._suppress):
            return -1
        return max(self._min_new, int(len(self._begin_suppress) > 0), *(index + 1 for index in self._forced), 0)


def _places(tokens: Sequence[int]) -> Places:
    return tuple(tokens) if len(tokens) <= _FEW else np.array(tokens, np.int64)


def _forbid(logits: NDArray[np.float32], places: Places) -> None:
    if isinstance(places, tuple):
        for place in places:
            logits[place] = _FORBIDDEN
    else:
        logits[places] = _FORBIDDEN
