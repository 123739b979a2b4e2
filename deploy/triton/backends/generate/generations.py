"""Generations that decode together: tokens are chosen, finished ones are dropped, new ones join."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .batch import Answer
from .beams import BeamChooser
from .chooser import NOTHING, Chooser, Plan
from .generation import GenerationRequest, GenerationResult
from .graphs import Graphs
from .prompts import Prompt
from .rows import RowChooser
from .slots import open_batch

_RENT = 3
"""A finished generation's rows cost a little in every step, dropping them costs a copy of all others' caches (read and
written, into fresh memory) once. They are dropped when so many rows' steps were wasted for each row that is left: at
worst twice what the best choice would have cost."""


class Generation:
    """One request on its way."""

    def __init__(
        self, request: GenerationRequest, plan: Plan, done: Callable[[GenerationResult | Exception], None]
    ) -> None:
        """`done` is called once, with the result or the error; not at all after `cancel`."""
        self.request = request
        self.prompt = Prompt(request.prompt, request.prefix, request.recurring)
        self.empty = plan.max_new_tokens == 0
        beams = plan.options.beams > 1
        self.chooser: Chooser = BeamChooser(plan) if beams else RowChooser(plan, request.on_token)
        self.rows = 1 if self.empty else self.chooser.rows
        self.cancelled = False
        self.begun = False
        """A token was chosen: it cannot be begun again."""
        self._done = done
        self._prompt_logits = np.zeros((0, 0), np.float32)

    def read_prompt(self, answer: Answer, row: int) -> list[int] | None:
        """Take what the prefill said of the prompt; returns the first token of each row, or None when it is over."""
        self.begun = True
        logits = answer.logits[row]
        if self.request.prompt_logits:
            first = len(logits) - len(self.prompt.tokens)
            picked = [position if position < 0 else first + position for position in self.request.prompt_logits]
            self._prompt_logits = logits[picked]
        if self.empty:
            self._finish()
            return None
        return self._chosen(logits[-1:], None if answer.hidden is None else answer.hidden[row][-1:])[0]

    def advance(
        self, logits: NDArray[np.float32], hidden: NDArray[np.float32] | None
    ) -> tuple[list[int] | None, list[int] | None]:
        """Choose the next tokens; returns them and their origins, or None, None when it is over."""
        return self._chosen(logits, hidden)

    def fail(self, error: Exception) -> None:
        """End with an error."""
        self._done(error)

    def _chosen(
        self, logits: NDArray[np.float32], hidden: NDArray[np.float32] | None
    ) -> tuple[list[int] | None, list[int] | None]:
        try:
            choice = self.chooser.choose(logits, hidden)
        except Exception as error:  # a rule or a listener of this request: its neighbours go on
            self.fail(error)
            return None, None
        if choice is None:
            self._finish()
            return None, None
        return choice.tokens, choice.origins

    def _finish(self) -> None:
        hypotheses = (NOTHING,) if self.empty else self.chooser.hypotheses()
        self._done(GenerationResult(hypotheses, self._prompt_logits))


class RunningBatch:
    """Generations of one width (rows each), stepping together."""

    def __init__(self, graphs: Graphs, generations: Sequence[Generation]) -> None:
        """Read the prompts and choose the first tokens. Whatever the graphs raise comes through."""
        self.width = generations[0].rows
        self._slots: list[Generation | None] = list(generations)
        sources = [generation.request.source for generation in generations]
        present = [source for source in sources if source is not None]
        self.batch = open_batch(graphs, present)
        answer = self.batch.prefill([generation.prompt for generation in generations])
        self._tokens: list[int] = []
        self._wasted = 0
        pad = graphs.settings.pad
        for row, generation in enumerate(generations):
            tokens = generation.read_prompt(answer, row)
            self._tokens += tokens or [pad] * self.width
            if tokens is None:
                self._slots[row] = None
        if self.width > 1 and self.alive:
            self.batch.select(np.repeat(np.arange(len(generations)), self.width).tolist(), None)
        for slot, left in enumerate(self._slots):
            if left is None:
                self._retire(slot)

    @property
    def alive(self) -> int:
        """Generations that are not over."""
        return sum(slot is not None for slot in self._slots)

    @property
    def generations(self) -> list[Generation]:
        """Those that are not over."""
        return [slot for slot in self._slots if slot is not None]

    def step(self) -> None:
        """Read the chosen tokens and choose the next ones."""
        self._drop()
        answer = self.batch.step(self._tokens)
        width, rows, moved = self.width, None, False
        for slot, generation in enumerate(self._slots):
            if generation is None or generation.cancelled:
                continue
            start = slot * width
            hidden = None if answer.hidden is None else answer.hidden[start : start + width, 0]
            tokens, origins = generation.advance(answer.logits[start : start + width, 0], hidden)
            if tokens is None:
                self._slots[slot] = None
                self._retire(slot)
                continue
            self._tokens[start : start + width] = tokens
            if origins is not None and origins != list(range(width)):
                rows = rows or list(range(len(self._tokens)))
                rows[start : start + width] = [start + origin for origin in origins]
                moved = True
        if moved and rows is not None and self.alive:
            self.batch.reorder(rows)

    def remove_cancelled(self) -> None:
        """Take out what nobody waits for any more."""
        for slot, generation in enumerate(self._slots):
            if generation is not None and generation.cancelled:
                self._slots[slot] = None
                self._retire(slot)

    def clear(self) -> None:
        """Forget all generations."""
        self._slots = [None] * len(self._slots)

    def can_absorb(self, other: RunningBatch, limit: int) -> bool:
        """Tell whether `other` may join: same width, room for it, sources that fit together."""
        fits = self.width == other.width and self.alive + other.alive <= limit
        mine, its = self.batch.source, other.batch.source
        if mine is None or its is None:
            return fits
        return fits and ((mine.mask is not None and its.mask is not None) or mine.length == its.length)

    def absorb(self, other: RunningBatch) -> None:
        """Let the generations of `other` go on here."""
        self._drop(at_any_cost=True)
        self.batch.absorb(other.batch)
        self._slots += other._slots
        self._tokens += other._tokens

    def _retire(self, slot: int) -> None:
        for row in range(slot * self.width, (slot + 1) * self.width):
            if row < self.batch.rows:
                self.batch.retire(row)

    def _drop(self, at_any_cost: bool = False) -> None:
        """Drop the rows of what is over, when that pays."""
        alive = self.alive
        dead = len(self._slots) - alive
        if not dead or not alive:
            return
        self._wasted += dead
        if self._wasted < _RENT * alive and not at_any_cost:
            return
        kept = [slot for slot, generation in enumerate(self._slots) if generation is not None]
        rows = [slot * self.width + row for slot in kept for row in range(self.width)]
        self.batch.select(rows, kept)
        self._tokens = [self._tokens[row] for row in rows]
        self._slots = [self._slots[slot] for slot in kept]
        self._wasted = 0
