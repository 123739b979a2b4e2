"""Beam search with the results of transformers' (generation/utils.py, `_beam_search`), each source by itself.

The published Marian and Whisper configurations are tuned to its ways, which differ from the textbook's: a finished
sequence counts only if it is among the best `beams` of its step; length penalty divides by new tokens to the power;
early stopping compares the best running sequence with the worst finished one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .chooser import Choice, NoToken, Plan
from .generation import Finish, Hypothesis
from .ranking import Tops, log_sum_exp, tops

_NEVER = np.float32(-1e9)
"""transformers' score of a beam that is not there."""


@dataclass(slots=True)
class _Beam:
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    """After the rules, as transformers adds them up."""
    score: np.float32
    """Running: the sum. Finished: penalised."""
    finish: Finish | None = None


class BeamChooser:
    """One source's beams."""

    def __init__(self, plan: Plan) -> None:
        self._options, self._eos, self._most, self._rules = plan
        self.rows = self._options.beams
        self._candidates = max(2, 1 + len(self._eos)) * self.rows
        self._running = [_Beam((), (), np.float32(0.0))]
        self._finished: list[_Beam] = []
        self._done = False

    def choose(self, logits: NDArray[np.float32], hidden: NDArray[np.float32] | None) -> Choice | None:
        """See Chooser."""
        highest = logits.max(axis=1)
        if not np.isfinite(highest).all():  # a NaN comes through
            raise NoToken
        norms = [log_sum_exp(row, float(high)) for row, high in zip(logits, highest, strict=True)]
        count = len(self._running[0].tokens)
        if self._rules.acts(count):
            # As transformers does: the rules come after the softmax, and nothing is made up for what they forbid.
            if not self._rules.only_forbids(count):
                np.subtract(logits, np.array(norms, np.float32)[:, None], out=logits)
                norms = [0.0] * len(norms)
            for row, beam in zip(logits, self._running, strict=True):
                self._rules.apply(beam.tokens, row)
        candidates, origins = self._extended(tops(logits), np.array(norms, np.float32))
        running = [index for index, beam in enumerate(candidates) if beam.finish is None][: self.rows]
        self._finish(candidates[: self.rows])
        if not running or self._cannot_improve(candidates[running[0]]):
            return None
        # Fewer than `beams` can go on where the rules leave few tokens: the rest repeat the last, never to win.
        chosen = running + [running[-1]] * (self.rows - len(running))
        self._running = [candidates[index] for index in chosen]
        for spare in range(len(running), self.rows):
            last = self._running[spare]
            self._running[spare] = _Beam(last.tokens, last.logprobs, _NEVER)
        return Choice([beam.tokens[-1] for beam in self._running], [origins[index] for index in chosen])

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """See Chooser."""
        found = self._finished[: self._options.hypotheses]
        if not found:
            best = self._running[0]
            found = [_Beam(best.tokens, best.logprobs, self._penalised(best), Finish.CANCELLED)]
        return tuple(
            Hypothesis(beam.tokens, float(beam.score), beam.finish or Finish.CANCELLED, np.array(beam.logprobs, "f4"))
            for beam in found
        )

    def _extended(self, ranked: Tops, norms: NDArray[np.float32]) -> tuple[list[_Beam], list[int]]:
        """Return the best extensions of all running beams, best first, and the row that each goes on from."""
        scores = np.array([beam.score for beam in self._running], np.float32)
        rows, tokens = ranked.largest(min(self._candidates, ranked.values.size), scores - norms)
        logprobs = ranked.values[rows, tokens] - norms[rows]
        totals = logprobs + scores[rows]
        candidates, origins = [], []
        for origin, token, logprob, score in zip(
            rows.tolist(), tokens.tolist(), logprobs.tolist(), totals, strict=True
        ):
            if not np.isfinite(score):
                break
            beam = self._running[origin]
            extended = _Beam((*beam.tokens, token), (*beam.logprobs, logprob), score)
            if token in self._eos:
                extended.finish = Finish.EOS
            elif len(extended.tokens) >= self._most:
                extended.finish = Finish.LENGTH
            candidates.append(extended)
            origins.append(origin)
        if not candidates:
            raise NoToken
        return candidates, origins

    def _finish(self, best: list[_Beam]) -> None:
        """Take the finished ones of a step's best `beams` up among the finished; the best `beams` of those are kept."""
        if self._options.early_stopping is True and len(self._finished) >= self.rows:
            return
        for beam in best:
            if beam.finish is not None:
                beam.score = self._penalised(beam)
                self._finished.append(beam)
        self._finished.sort(key=lambda beam: -beam.score)
        del self._finished[self.rows :]

    def _cannot_improve(self, best_running: _Beam) -> bool:
        if len(self._finished) < self.rows:
            return False
        if self._options.early_stopping is True:
            return True
        length = len(best_running.tokens)
        if self._options.early_stopping is None and self._options.length_penalty > 0:
            length = self._most
        reachable = best_running.score / np.float32(length**self._options.length_penalty)
        return not reachable > self._finished[-1].score

    def _penalised(self, beam: _Beam) -> np.float32:
        return np.float32(beam.score / np.float32(max(1, len(beam.tokens)) ** self._options.length_penalty))
