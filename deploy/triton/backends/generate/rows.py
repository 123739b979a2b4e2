"""Greedy decoding, and sampling of one or several independent sequences from one prompt."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .chooser import Choice, NoToken, Plan
from .generation import DecodingOptions, Finish, Hypothesis, Token
from .ranking import largest, log_sum_exp

_FIRST_LOOK = 1024
"""So many of the most probable tokens usually reach top_p; if not, all are sorted."""


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
        if rules.idle_after < 0 or count < rules.idle_after:
            rules.apply(row.tokens, logits)
        token = int(logits.argmax())
        if not math.isfinite(logits[token]):  # argmax finds a NaN, if there is one
            raise NoToken
        if row.generator is not None:
            token = draw(logits, self._options, row.generator)
        row.tokens.append(token)
        logprob = math.nan
        if self._options.logprobs:
            logprob = float(logits[token]) - float(log_sum_exp(logits[None])[0, 0])
            row.logprobs.append(logprob)
        if hidden is not None and self._options.hidden:
            row.hidden.append(hidden.copy())
        if token in self._eos:
            row.finish = Finish.EOS
        elif count + 1 >= self._most:
            row.finish = Finish.LENGTH
        if self._on_token is not None:
            self._on_token(Token(count, token, logprob))


def draw(logits: NDArray[np.float32], options: DecodingOptions, generator: np.random.Generator) -> int:
    """Draw from softmax(logits / temperature), cut to top_k and then to top_p. One number of the stream a token."""
    scaled = logits / np.float32(options.temperature)
    uniform = float(generator.random())
    if options.top_k <= 0 and options.top_p >= 1:
        return _pick(np.arange(len(scaled)), _shares(scaled), uniform)
    if options.top_k > 0:
        candidates = largest(scaled, min(options.top_k, len(scaled)))
        return _nucleus(candidates, _shares(scaled[candidates]), options.top_p, uniform)
    candidates = largest(scaled, min(_FIRST_LOOK, len(scaled)))
    shares = np.exp(scaled[candidates].astype(np.float64) - float(log_sum_exp(scaled[None])[0, 0]))
    if shares.sum() < options.top_p:
        candidates = largest(scaled, len(scaled))
        shares = _shares(scaled[candidates])
    return _nucleus(candidates, shares, options.top_p, uniform)


def _nucleus(candidates: NDArray[np.int64], shares: NDArray[np.float64], top_p: float, uniform: float) -> int:
    """Keep, most probable first, each candidate before which less than top_p is reached; the first always."""
    if top_p < 1:
        before = np.cumsum(shares) - shares
        kept = max(1, int(np.searchsorted(before, top_p, side="left")))
        candidates, shares = candidates[:kept], shares[:kept]
    return _pick(candidates, shares, uniform)


def _shares(scaled: NDArray[np.float32]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        weights = np.exp(scaled.astype(np.float64) - float(scaled.max()))
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _pick(candidates: NDArray[np.int64], shares: NDArray[np.float64], uniform: float) -> int:
    reached = np.cumsum(shares)
    index = int(np.searchsorted(reached, uniform * reached[-1], side="right"))
    if index == len(shares):  # rounded up to the very end
        index = int(np.flatnonzero(shares)[-1])
    return int(candidates[index])


def _hypothesis(row: _Row, options: DecodingOptions) -> Hypothesis:
    logprobs = np.array(row.logprobs, np.float32) if options.logprobs else None
    return Hypothesis(
        tokens=tuple(row.tokens),
        score=math.fsum(row.logprobs) if options.logprobs else math.nan,
        finish=row.finish or Finish.CANCELLED,
        logprobs=logprobs,
        hidden=np.stack(row.hidden) if row.hidden else None,
    )
