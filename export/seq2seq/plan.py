"""What the gate of an encoder-decoder network feeds, and how far it may be off."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from export.seq2seq.runner import Graphs, Ids
from export.signature import Tensors

BATCH = 8
"""Sources of one batch."""
EXACT_ABS = 1e-3
"""The greatest difference of keys, values and logits in fp32."""


@dataclass(frozen=True)
class Limits:
    """Of a reduced precision; fp32 has to be exact."""

    mean_kl: float
    """Mean divergence (nats) of the first new token's distribution from the reference's."""
    agreement: float
    """Least share of greedy tokens, each after the reference's own tokens, that are the reference's."""


@dataclass(frozen=True)
class Plan:
    """The gate's inputs, and how both sides are asked to decode."""

    samples: Callable[[np.random.Generator, int], Tensors]
    """Draw a batch of random sources: the encoder's inputs."""
    prompt: Callable[[np.random.Generator, int], Ids]
    """Draw the tokens [B, T] that texts begin with."""
    beside: Callable[[Tensors, Tensors], Tensors]
    """From the encoder's inputs and outputs, make what the decoder reads: cross keys and values, encoder_mask."""
    greedy: Callable[[Graphs, Tensors, Ids, int], list[list[int]]]
    """Decode a batch with the exported graphs, by the rules that the reference follows; the last is the limit."""
    beam: Callable[[Graphs, Tensors, Ids, int], list[int]]
    """Decode one source by the reference's kind of beam search."""
    lengths: tuple[int, ...]
    """Most new tokens, of one batch after the other."""
    reduced: Limits
    sources: int = 64
    """Random sources that fp32 is compared on."""
    reduced_sources: int = 16
    """Of them, those that a reduced precision is compared on: what it differs by shows in every one."""
    beam_lengths: tuple[int, ...] = (6, 10)
