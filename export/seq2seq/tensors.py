"""Names, types and sizes of the graphs' tensors, and examples to trace with: what the `generate` backend expects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.signature import Tensor, Tensors

_EXAMPLE = {"batch": 2, "rows": 6, "new": 4, "past": 5, "total": 9, "source": 7, "frames": 14}
"""Sizes to trace with: 3 beams; no two alike where they vary on their own."""


@dataclass(frozen=True)
class Shape:
    """The sizes that a decoder's tensors depend on."""

    layers: int
    heads: int
    head_dim: int
    vocab_size: int
    max_positions: int


def cross_tensors(shape: Shape, source: str = "source") -> tuple[Tensor, ...]:
    """cross_key_0, cross_value_0, cross_key_1 ...: [batch, heads, source, head_dim]."""
    return _cached(shape, "cross", ("batch", shape.heads, source, shape.head_dim))


def past_tensors(shape: Shape) -> tuple[Tensor, ...]:
    """past_key_0, past_value_0 ...: [rows, heads, past, head_dim]."""
    return _cached(shape, "past", ("rows", shape.heads, "past", shape.head_dim))


def present_tensors(shape: Shape) -> tuple[Tensor, ...]:
    """present_key_0, present_value_0 ...: [rows, heads, total, head_dim]."""
    return _cached(shape, "present", ("rows", shape.heads, "total", shape.head_dim))


def decoder_inputs(shape: Shape, *, encoder_mask: bool) -> tuple[Tensor, ...]:
    """input_ids, position_ids, mask, past (all layers), cross (all layers), and encoder_mask where there is one."""
    tokens = (Tensor("input_ids", "INT64", ("rows", "new")), Tensor("position_ids", "INT64", ("rows", "new")))
    mask = Tensor("mask", "INT64", ("rows", "total"))
    padding = (Tensor("encoder_mask", "INT64", ("batch", "source")),) if encoder_mask else ()
    return (*tokens, mask, *past_tensors(shape), *cross_tensors(shape), *padding)


def decoder_outputs(shape: Shape) -> tuple[Tensor, ...]:
    """logits, present (all layers)."""
    return (Tensor("logits", "FP32", ("rows", "new", shape.vocab_size)), *present_tensors(shape))


def examples(inputs: Sequence[Tensor]) -> Tensors:
    """Return inputs to trace with."""
    rng = np.random.default_rng(0)
    return {tensor.name: _example(tensor, rng) for tensor in inputs}


def _cached(shape: Shape, what: str, dims: tuple[int | str, ...]) -> tuple[Tensor, ...]:
    names = [f"{what}_{kind}_{layer}" for layer in range(shape.layers) for kind in ("key", "value")]
    return tuple(Tensor(name, "FP32", dims) for name in names)


def _example(tensor: Tensor, rng: np.random.Generator) -> NDArray[Any]:
    sizes = [size if isinstance(size, int) else _EXAMPLE[size] for size in tensor.dims]
    if tensor.data_type == "INT64":
        return np.ones(sizes, np.int64)
    return rng.standard_normal(sizes).astype(np.float32)
