"""Rows that decode together: their caches, masks and positions, and the calls of decoder.onnx.

All generations of a batch have the same number of rows, for the graph wants those of one source side by side. The
caches are the decoder's own output tensors: those of one step are bound as the past of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .graphs import Graphs
from .prompts import Prompt, PromptArrays, lay_out
from .source_batch import EncodedBatch, join_sources
from .values import CPU, Binding, OrtValue, of_array, outputs_of

_SPARE = 64
"""The mask grows by so many positions at a time."""


@dataclass(frozen=True)
class Answer:
    """What the decoder said, row by row, as arrays that the next step writes into."""

    logits: NDArray[np.float32] | list[NDArray[np.float32]]
    """[rows, new, vocab]; a list where prompts of different lengths were read one by one."""
    hidden: NDArray[np.float32] | list[NDArray[np.float32]] | None
    """[rows, new, width], likewise."""


class Batch:
    """The tensors of a running batch. Which row means what is its owner's affair."""

    def __init__(self, graphs: Graphs, source: EncodedBatch | None) -> None:
        """`source`: what is looked at, one row for each generation, in order; None for decoder-only models."""
        self._graphs = graphs
        self._past_names, self._present_names = graphs.past_names, graphs.present_names
        self._with_positions = "position_ids" in graphs.decoder.inputs
        self._with_hidden = "hidden" in graphs.decoder.outputs
        self.source = source
        self.rows = 0
        self.past_length = 0
        self._past: list[OrtValue] = []
        self._mask = np.zeros((0, 0), np.int64)
        self._positions = np.zeros((0, 1), np.int64)
        self._token_positions = self._positions
        self._pace: list[int] = []
        """By row: 1, or 0 for rows that nobody reads any more."""
        self._step: _StepBuffers | None = None

    def prefill(self, prompts: Sequence[Prompt]) -> Answer:
        """Read the prompts, one row each; shorter ones are padded in front."""
        arrays = lay_out(prompts, self._graphs.settings.pad)
        binding = self._graphs.decoder.binding()
        held = self._bind_prompts(binding, arrays, prompts)
        self._bind_source(binding)
        for name in self._output_names():
            binding.bind_output(name, CPU)
        self._graphs.decoder.run(binding)
        del held  # until here the bound values looked into it
        logits, *others = outputs_of(binding)
        hidden = others.pop(0).numpy() if self._with_hidden else None
        self._past, self._step = others, None
        self.rows, self.past_length = arrays.mask.shape
        self._mask = arrays.mask
        self._positions = arrays.positions[:, -1:] + 1
        self._token_positions = np.array([[len(prompt.tokens)] for prompt in prompts], np.int64)
        self._pace = [1] * self.rows
        return Answer(logits.numpy(), hidden)

    def step(self, tokens: Sequence[int]) -> Answer:
        """Read one more token in each row."""
        buffers = self._step or self._prepare_steps()
        binding = buffers.binding
        self.past_length += 1
        if self.past_length > self._mask.shape[1]:
            self._mask = np.concatenate([self._mask, np.ones((self.rows, _SPARE), np.int64)], axis=1)
        mask = np.ascontiguousarray(self._mask[:, : self.past_length])
        for row, token in enumerate(tokens):
            buffers.tokens[row] = token
        binding.bind_ortvalue_input("mask", of_array(mask))
        if self._graphs.embed is not None:
            binding.bind_ortvalue_input("inputs_embeds", self._graphs.embedded(buffers.ids, self._token_positions))
        for name, value in zip(self._past_names, self._past, strict=True):
            binding.bind_ortvalue_input(name, value)
        for name in self._present_names:
            binding.bind_output(name, CPU)
        self._graphs.decoder.run(binding)
        self._past = outputs_of(binding)[1 + self._with_hidden :]
        for row, pace in enumerate(self._pace):
            buffers.positions[row] += pace
        if self._graphs.embed is not None:
            self._token_positions[:, 0] += self._pace
        return buffers.answer

    def retire(self, row: int) -> None:
        """Say that nobody will read this row any more: it only keeps its place until rows are selected anew."""
        self._pace[row] = self._positions[row] = self._token_positions[row] = 0

    def reorder(self, rows: Sequence[int]) -> None:
        """Let row j go on from the cache of `rows[j]`, which must be a row of the same generation."""
        self._past = self._graphs.gather(self._past, rows)

    def select(self, rows: Sequence[int], sources: Sequence[int] | None) -> None:
        """Go on with these rows, each any number of times, looking at these rows of the source (None: as before)."""
        chosen = list(rows)
        self._past = self._graphs.gather(self._past, chosen)
        self.rows, self._step = len(chosen), None
        self._mask, self._positions = self._mask[chosen], self._positions[chosen]
        self._token_positions = self._token_positions[chosen]
        self._pace = [self._pace[row] for row in chosen]
        if sources is not None and self.source is not None:
            self.source = self.source.select(self._graphs, sources)

    def absorb(self, other: Batch) -> None:
        """Take over the rows of another batch, behind its own; shorter caches are padded in front, and masked there."""
        length = max(self.past_length, other.past_length)
        fronts = (length - self.past_length, length - other.past_length)
        self._past = self._graphs.join([(self._past, fronts[0]), (other._past, fronts[1])])
        masks = [
            np.pad(batch._mask[:, : batch.past_length], ((0, 0), (front, 0)))
            for batch, front in zip((self, other), fronts, strict=True)
        ]
        self._mask = np.concatenate(masks)
        self._positions = np.concatenate([self._positions, other._positions])
        self._token_positions = np.concatenate([self._token_positions, other._token_positions])
        self._pace = self._pace + other._pace
        self.rows, self.past_length, self._step = self.rows + other.rows, length, None
        if self.source is not None and other.source is not None:
            self.source = join_sources(self._graphs, [self.source, other.source])

    def _bind_prompts(self, binding: Binding, arrays: PromptArrays, prompts: Sequence[Prompt]) -> list[NDArray[Any]]:
        """Bind what a prefill reads but the source; returns the arrays that the bound values look into."""
        settings = self._graphs.settings
        rows = len(prompts)
        held: dict[str, NDArray[Any]] = {"mask": arrays.mask}
        if self._graphs.embed is None:
            held["input_ids"] = arrays.ids
        else:
            embeds = self._graphs.embedded(arrays.ids, arrays.token_positions).numpy()
            held["inputs_embeds"] = arrays.with_prefixes(embeds, prompts)
        if self._with_positions:
            held["position_ids"] = arrays.positions
        for name, array in held.items():
            binding.bind_ortvalue_input(name, of_array(array))
        nothing = np.zeros((rows, settings.heads, 0, settings.head_dim), np.float32)
        for name in self._past_names:
            binding.bind_ortvalue_input(name, of_array(nothing))
        return [*held.values(), nothing]

    def _bind_source(self, binding: Binding) -> None:
        if self.source is None:
            return
        for name, value in zip(self._graphs.cross_names, self.source.cross, strict=True):
            binding.bind_ortvalue_input(name, value)
        if self.source.mask is not None and self._graphs.masks_source:
            binding.bind_ortvalue_input("encoder_mask", of_array(self.source.mask))

    def _prepare_steps(self) -> _StepBuffers:
        """Bind what stays the same from step to step."""
        binding = self._graphs.decoder.binding()
        self._bind_source(binding)
        logits = np.empty((self.rows, 1, self._graphs.settings.vocab_size), np.float32)
        binding.bind_ortvalue_output("logits", of_array(logits))
        hidden = None
        if self._with_hidden:
            hidden = np.empty((self.rows, 1, self._graphs.hidden_width), np.float32)
            binding.bind_ortvalue_output("hidden", of_array(hidden))
        ids = np.empty((self.rows, 1), np.int64)
        if self._graphs.embed is None:
            binding.bind_ortvalue_input("input_ids", of_array(ids))
        if self._with_positions:
            binding.bind_ortvalue_input("position_ids", of_array(self._positions))
        tokens, positions = (array.reshape(-1).data for array in (ids, self._positions))
        self._step = _StepBuffers(binding, ids, tokens, positions, Answer(logits, hidden))
        return self._step

    def _output_names(self) -> list[str]:
        return ["logits", *["hidden"] * self._with_hidden, *self._present_names]


@dataclass(frozen=True)
class _StepBuffers:
    binding: Binding
    ids: NDArray[np.int64]
    """[rows, 1], bound."""
    tokens: memoryview
    """The same memory, and that of the bound positions, for writing a few numbers without numpy: the weights have
    driven its code out of the processor's caches since the last step (0.09 ms a step with Opus-MT)."""
    positions: memoryview
    answer: Answer
