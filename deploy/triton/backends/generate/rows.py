"""Greedy decoding, and sampling of one or several independent sequences from one prompt."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .chooser import Choice, NoToken, Plan
from .generation import DecodingOptions, Finish, Hypothesis, Token
from .ranking import largest, log_sum_exp, weights

_FIRST_LOOK = 1024
"""So many of the most probable tokens usually reach top_p; if not, all are sorted."""
_BLOCK = 512


class _Row:
    """One sequence."""

    __slots__ = ("finish", "generator", "hidden", "logprobs", "tokens")

    def __init__(self, generator: np.random.Generator | None) -> None:
        self.tokens: list[int] = []
        self.logprobs: list[float] = []
        self.hidden: list[NDArray[np.float32]] = []
        self.finish: Finish | None = None
        self.generator = generator


class RowChooser:
    """Every row chooses by itself; `options.hypotheses` of them."""

    def __init__(self, plan: Plan, on_token: Callable[[Token], None] | None = None) -> None:
        self._options, self._eos, self._most, self._rules = plan
        self._on_token = on_token
        options = self._options
        self.rows = options.hypotheses
        drawn = options.temperature > 0
        self._rows = [_Row(np.random.default_rng([options.seed, row]) if drawn else None) for row in range(self.rows)]

    def choose(self, logits: NDArray[np.float32], hidden: NDArray[np.float32] | None) -> Choice | None:
        """See Chooser."""
        first = len(logits) < self.rows
        for index, row in enumerate(self._rows):
            if row.finish is None:
                seen = 0 if first else index
                # Rows share the prompt's logits, and the rules write into them.
                mine = logits[seen].copy() if first else logits[seen]
                self._extend(row, mine, None if hidden is None else hidden[seen])
        if all(row.finish is not None for row in self._rows):
            return None
        return Choice([row.tokens[-1] for row in self._rows], [0] * self.rows if first else None)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """See Chooser."""
        made = [_hypothesis(row, self._options) for row in self._rows]
        return tuple(sorted(made, key=lambda each: -each.score)) if self._options.logprobs else tuple(made)

    def _extend(self, row: _Row, logits: NDArray[np.float32], hidden: NDArray[np.float32] | None) -> None:
        count = len(row.tokens)
        rules = self._rules
        if rules.acts(count):
            rules.apply(row.tokens, logits)
        token = int(logits.argmax())
        highest = float(logits[token])
        if not math.isfinite(highest):  # argmax finds a NaN, if there is one
            raise NoToken
        if row.generator is not None:
            token = draw(logits, highest, self._options, row.generator)
        row.tokens.append(token)
        logprob = math.nan
        if self._options.logprobs:
            logprob = float(logits[token]) - log_sum_exp(logits, highest)
            row.logprobs.append(logprob)
        state = hidden.copy() if hidden is not None and self._options.hidden else None
        if state is not None:
            row.hidden.append(state)
        if token in self._eos:
            row.finish = Finish.EOS
        elif count + 1 >= self._most:
            row.finish = Finish.LENGTH
        if self._on_token is not None:
            self._on_token(Token(count, token, logprob, state))


def draw(logits: NDArray[np.float32], highest: float, options: DecodingOptions, generator: np.random.Generator) -> int:
    """Draw from softmax(logits / temperature), cut to top_k and then to top_p. One number of the stream a token."""
    uniform = float(generator.random())
    shares = weights(logits, highest, options.temperature)
    if options.top_k <= 0 and options.top_p >= 1:
        return _pick(shares, uniform)
    if options.top_k > 0:
        candidates = largest(logits, min(options.top_k, len(logits)))
        total = float(shares[candidates].sum(dtype=np.float64))
    else:
        candidates = largest(logits, min(_FIRST_LOOK, len(logits)))
        total = float(shares.sum(dtype=np.float64))
        if float(shares[candidates].sum(dtype=np.float64)) < options.top_p * total:
            candidates = largest(logits, len(logits))
    kept = _nucleus(shares[candidates].astype(np.float64) / total, options.top_p)
    return int(candidates[_pick(shares[candidates[:kept]], uniform)])


def _nucleus(shares: NDArray[np.float64], top_p: float) -> int:
    """Count, most probable first, the candidates before which less than top_p is reached; the first always."""
    if top_p >= 1:
        return len(shares)
    before = np.cumsum(shares, dtype=np.float64) - shares
    return max(1, int(np.searchsorted(before, top_p, side="left")))


def _pick(shares: NDArray[np.float32], uniform: float) -> int:
    """Return the place where the sum of `shares` passes that part of the whole."""
    starts = np.arange(0, len(shares), _BLOCK)  # first the block, then the place in it: a tenth of summing up them all
    blocks = np.cumsum(np.add.reduceat(shares, starts, dtype=np.float64))
    aim = uniform * float(blocks[-1])
    block = min(int(np.searchsorted(blocks, aim, side="right")), int(np.flatnonzero(np.diff(blocks, prepend=0.0))[-1]))
    start = int(starts[block])
    reached = np.cumsum(shares[start : start + _BLOCK], dtype=np.float64) + (float(blocks[block - 1]) if block else 0.0)
    place = int(np.searchsorted(reached, aim, side="right"))
    if place == len(reached):  # rounded up to the very end
        place = int(np.flatnonzero(shares[start : start + _BLOCK])[-1])
    return start + place


def _hypothesis(row: _Row, options: DecodingOptions) -> Hypothesis:
    logprobs = np.array(row.logprobs, np.float32) if options.logprobs else None
    return Hypothesis(
        tokens=tuple(row.tokens),
        score=math.fsum(row.logprobs) if options.logprobs else math.nan,
        finish=row.finish or Finish.CANCELLED,
        logprobs=logprobs,
        hidden=np.stack(row.hidden) if row.hidden else None,
    )
