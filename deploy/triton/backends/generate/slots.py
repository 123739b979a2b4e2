"""Rows that decode together in caches of fixed places: each row keeps its own length, and nothing is ever shifted.

For decoders whose attention reads and writes one buffer (operator GroupQueryAttention: past and present are the same
memory). A step appends one position to each row where it lies; caches that grow by concatenation copy themselves in
every step, which at XTTS's size (245 kB a position) costs as much as reading the weights. Rows that join are copied
once, no row is padded, and a row that is over costs next to nothing. It does for RunningBatch what Batch does.

The buffers are asked for at full length and never touched beyond what a row has reached, so the system gives them no
more memory than that.

A step always has an even number of rows, the last of them idle if need be. ONNX Runtime multiplies 8-bit weights with
pairs of rows, and rounds a row that is left over otherwise: a sampled sequence would depend on who else is served. The
idle row costs nothing, for the time goes into reading the weights.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .batch import Answer, Batch
from .generation import Recurring, Source
from .graphs import Graphs
from .prompts import Prompt
from .source_batch import gathered
from .values import CPU, Binding, OrtValue, of_array, outputs_of

_REMEMBERED = 8
"""Recurring beginnings whose caches are kept, the last used ones (XTTS: 8 MB a voice)."""
_Buffers = list[NDArray[np.float32]]
"""For each of Graphs.past_names: [room, heads, capacity, head_dim]."""


def open_batch(graphs: Graphs, sources: Sequence[Source]) -> Batch | SlotBatch:
    """Make a batch of the kind that the decoder's caches are made for; `sources`: one a generation, or none."""
    if graphs.has_slots:
        return SlotBatch(graphs)
    return Batch(graphs, gathered(graphs, sources) if sources else None)


class SlotBatch:
    """The tensors of a running batch. Which row means what is its owner's affair."""

    source = None
    """Decoder-only models alone have such caches."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs
        self._with_hidden = "hidden" in graphs.decoder.outputs
        self._buffers: _Buffers = []
        self._lengths = np.zeros(0, np.int32)
        """Positions of each row."""
        self._token_positions = np.zeros((0, 1), np.int64)
        self._dead: set[int] = set()
        self._step: _Step | None = None

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self._lengths)

    def prefill(self, prompts: Sequence[Prompt]) -> Answer:
        """Read the prompts, one after the other: each fills the processor by itself."""
        self._buffers = self._empty(len(prompts))
        logits, hidden = [], []
        for row, prompt in enumerate(prompts):
            found = self._read(row, prompt)
            logits.append(found[0])
            hidden += found[1:]
        self._lengths = np.array([len(prompt) for prompt in prompts], np.int32)
        self._token_positions = np.array([[len(prompt.tokens)] for prompt in prompts], np.int64)
        return Answer(logits, hidden or None)

    def step(self, tokens: Sequence[int]) -> Answer:
        """Read one more token in each row."""
        step, rows = self._step or self._prepare_step(), self.rows
        step.ids[:rows, 0] = tokens
        step.lengths[:rows] = self._lengths
        step.positions[:rows] = self._token_positions
        step.total[0] = self._lengths.max() + 1
        embeds = self._graphs.embedded(step.ids, step.positions)
        step.binding.bind_ortvalue_input("inputs_embeds", embeds)
        self._graphs.decoder.run(step.binding)
        self._lengths += 1
        self._token_positions += 1
        for row in self._dead:
            self._lengths[row] = self._token_positions[row] = 0  # it writes its first place over and over
        return step.answer

    def retire(self, row: int) -> None:
        """Say that nobody will read this row any more: it only keeps its place until rows are selected anew."""
        self._dead.add(row)
        self._lengths[row] = self._token_positions[row] = 0

    def reorder(self, rows: Sequence[int]) -> None:
        """Let row j go on from the cache of `rows[j]`."""
        dead = set(self._dead)
        self.select(rows, None)
        self._dead = dead

    def select(self, rows: Sequence[int], sources: Sequence[int] | None) -> None:
        """Go on with these rows, each any number of times."""
        del sources
        chosen = list(rows)
        if all(earlier < later for earlier, later in pairwise(chosen)):
            self._move_down(chosen)
        else:
            fresh = self._empty(len(chosen))
            for target, row in enumerate(chosen):
                _copy(self._buffers, row, fresh, target, int(self._lengths[row]))
            self._buffers = fresh
        self._lengths, self._token_positions = self._lengths[chosen], self._token_positions[chosen]
        self._dead = {target for target, row in enumerate(chosen) if row in self._dead}
        self._step = None

    def absorb(self, other: SlotBatch) -> None:
        """Take over the rows of another batch, behind its own."""
        rows = self.rows
        together = rows + other.rows
        if together > len(self._buffers[0]):
            fresh = self._empty(max(together, 2 * rows))
            for row in range(rows):
                _copy(self._buffers, row, fresh, row, int(self._lengths[row]))
            self._buffers = fresh
        for row in range(other.rows):
            _copy(other._buffers, row, self._buffers, rows + row, int(other._lengths[row]))
        self._lengths = np.concatenate([self._lengths, other._lengths])
        self._token_positions = np.concatenate([self._token_positions, other._token_positions])
        self._dead |= {rows + row for row in other._dead}
        self._step = None

    def _empty(self, rows: int) -> _Buffers:
        settings = self._graphs.settings
        shape = (len(self._graphs.past_names), _even(rows), settings.heads, settings.max_positions, settings.head_dim)
        return list(_untouched(shape))

    def _move_down(self, chosen: Sequence[int]) -> None:
        for target, row in enumerate(chosen):
            if row != target:
                _copy(self._buffers, row, self._buffers, target, int(self._lengths[row]))

    def _read(self, row: int, prompt: Prompt) -> list[NDArray[np.float32]]:
        """Run one prompt into its row; returns logits [T, vocab], and hidden [T, width] if there is such."""
        graphs = self._graphs
        ids = np.array([prompt.tokens or (graphs.settings.pad,)], np.int64)
        embeds = graphs.embedded(ids, np.arange(ids.shape[1], dtype=np.int64)[None]).numpy()[0][: len(prompt.tokens)]
        whole = embeds if prompt.prefix is None else np.concatenate([prompt.prefix, embeds])
        known = self._recall(row, prompt.recurring, whole) if prompt.recurring else 0
        return self._run(row, whole[known:], known)

    def _recall(self, row: int, recurring: Recurring, embeds: NDArray[np.float32]) -> int:
        """Fill the row with what recurs, read now or before; returns how many positions that are.

        It is read by itself even when it is new: what a prompt comes to must not depend on who came before.
        """
        memory, length = self._graphs.recurring, recurring.positions
        if recurring.key in memory:
            for buffer, kept in zip(self._buffers, memory[recurring.key], strict=True):
                buffer[row, :, :length] = kept
        else:
            self._run(row, embeds[:length], 0)
            memory[recurring.key] = [buffer[row, :, :length].copy() for buffer in self._buffers]
            if len(memory) > _REMEMBERED:
                memory.popitem(last=False)
        memory.move_to_end(recurring.key)
        return length

    def _run(self, row: int, embeds: NDArray[np.float32], known: int) -> list[NDArray[np.float32]]:
        """Read further positions [T, width] into a row that has `known` ones."""
        graphs, length = self._graphs, known + len(embeds)
        held = [np.ascontiguousarray(embeds[None]), np.array([length - 1], np.int32), np.array([length], np.int32)]
        binding = graphs.decoder.binding()
        for name, array in zip(("inputs_embeds", "row_lengths", "total_length"), held, strict=True):
            binding.bind_ortvalue_input(name, of_array(array))
        for name in self._answers():
            binding.bind_output(name, CPU)
        kept = self._bind_buffers(binding, row, row + 1)
        graphs.decoder.run(binding)
        del held, kept  # until here the bound values looked into them
        return [value.numpy()[0] for value in outputs_of(binding)[: 1 + self._with_hidden]]

    def _prepare_step(self) -> _Step:
        """Bind what stays the same from step to step."""
        graphs, rows = self._graphs, _even(self.rows)
        binding = graphs.decoder.binding()
        total, lengths = np.zeros(1, np.int32), np.zeros(rows, np.int32)
        binding.bind_ortvalue_input("row_lengths", of_array(lengths))
        binding.bind_ortvalue_input("total_length", of_array(total))
        logits = np.empty((rows, 1, graphs.settings.vocab_size), np.float32)
        binding.bind_ortvalue_output("logits", of_array(logits))
        hidden = None
        if self._with_hidden:
            hidden = np.empty((rows, 1, graphs.hidden_width), np.float32)
            binding.bind_ortvalue_output("hidden", of_array(hidden))
        kept = self._bind_buffers(binding, 0, rows)
        ids, positions = np.full((2, rows, 1), graphs.settings.pad, np.int64)
        positions[:] = 0
        self._step = _Step(binding, ids, positions, lengths, total, Answer(logits, hidden), kept)
        return self._step

    def _bind_buffers(self, binding: Binding, first: int, last: int) -> list[OrtValue]:
        kept = []
        names = zip(self._graphs.past_names, self._graphs.present_names, self._buffers, strict=True)
        for past, present, buffer in names:
            value = of_array(buffer[first:last])
            binding.bind_ortvalue_input(past, value)
            binding.bind_ortvalue_output(present, value)
            kept.append(value)
        return kept

    def _answers(self) -> list[str]:
        return ["logits", *["hidden"] * self._with_hidden]


@dataclass(frozen=True)
class _Step:
    """What is bound from step to step; the arrays are written in place."""

    binding: Binding
    ids: NDArray[np.int64]
    """[even rows, 1], as are the positions."""
    positions: NDArray[np.int64]
    lengths: NDArray[np.int32]
    """[even rows]; positions before the step, which is what the graph wants: those after it, minus one."""
    total: NDArray[np.int32]
    answer: Answer
    kept: list[OrtValue]


def _even(rows: int) -> int:
    return rows + rows % 2


def _copy(source: _Buffers, row: int, target: _Buffers, to: int, length: int) -> None:
    """Copy what a row has reached."""
    for old, new in zip(source, target, strict=True):
        new[to, :, :length] = old[row, :, :length]


def _untouched(shape: Sequence[int]) -> NDArray[np.float32]:
    """Return zeros that take no memory before they are written; numpy's own may come from memory used before."""
    room = mmap.mmap(-1, math.prod(shape) * np.dtype(np.float32).itemsize, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(room, np.float32).reshape(shape)
