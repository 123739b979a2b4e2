"""Lays prompts of different lengths side by side: padded in front, masked there. Needs only numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .generation import Recurring


@dataclass(frozen=True)
class Prompt:
    """What one generation starts with: a prefix (embeddings [length, width]) and tokens."""

    tokens: tuple[int, ...]
    prefix: NDArray[np.float32] | None = None
    recurring: Recurring | None = None

    def __len__(self) -> int:
        """Count the positions."""
        return len(self.tokens) + (0 if self.prefix is None else len(self.prefix))


@dataclass(frozen=True)
class PromptArrays:
    """For the decoder: INT64 [rows, length]. For embed.onnx: `ids` and `token_positions`, [rows, most tokens]."""

    ids: NDArray[np.int64]
    token_positions: NDArray[np.int64]
    positions: NDArray[np.int64]
    mask: NDArray[np.int64]

    def with_prefixes(self, embeds: NDArray[np.float32], prompts: Sequence[Prompt]) -> NDArray[np.float32]:
        """Put prefixes before the embedded tokens [rows, most tokens, width]: [rows, length, width]."""
        rows, length = self.mask.shape
        whole = np.zeros((rows, length, embeds.shape[2]), np.float32)
        for row, prompt in enumerate(prompts):
            tokens = len(prompt.tokens)
            if tokens:
                whole[row, length - tokens :] = embeds[row, embeds.shape[1] - tokens :]
            if prompt.prefix is not None:
                whole[row, length - len(prompt) : length - tokens] = prompt.prefix
        return whole


def lay_out(prompts: Sequence[Prompt], pad: int) -> PromptArrays:
    """Make the arrays of a prefill."""
    rows = len(prompts)
    length = max(len(prompt) for prompt in prompts)
    most_tokens = max([1, *(len(prompt.tokens) for prompt in prompts)])
    ids = np.full((rows, most_tokens), pad, np.int64)
    token_positions = np.zeros((rows, most_tokens), np.int64)
    positions = np.zeros((rows, length), np.int64)
    mask = np.zeros((rows, length), np.int64)
    for row, prompt in enumerate(prompts):
        tokens, count = len(prompt.tokens), len(prompt)
        if tokens:
            ids[row, most_tokens - tokens :] = prompt.tokens
            token_positions[row, most_tokens - tokens :] = np.arange(tokens)
        positions[row, length - count :] = np.arange(count)
        mask[row, length - count :] = 1
    return PromptArrays(ids, token_positions, positions, mask)
