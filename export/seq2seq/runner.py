"""Runs the exported graphs in plain ONNX Runtime: an encoder, a decoder with its cache, rows picked. For the gate."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.parity import Runner
from export.seq2seq.tensors import Shape
from export.signature import Tensors

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


class Graphs:
    """The graphs of one version, by role."""

    def __init__(self, run: Mapping[str, Runner], shape: Shape) -> None:
        self._run = run
        self.shape = shape

    def encode(self, inputs: Tensors) -> Tensors:
        """Return the keys and values of cross-attention: cross_key_i, cross_value_i [B, heads, S, head_dim]."""
        return self._run["encoder"](inputs)

    def start(self, cross: Tensors, sources: int, beams: int = 1) -> "Cache":
        """Return an empty cache for sources x beams rows; `cross` has what the decoder reads beside it.

        That is what `encode` gave, and encoder_mask where the decoder has it.
        """
        empty = np.zeros((sources * beams, self.shape.heads, 0, self.shape.head_dim), np.float32)
        past = {f"past_{kind}_{layer}": empty for layer in range(self.shape.layers) for kind in ("key", "value")}
        return Cache(self._run, cross, past, sources * beams)


class Cache:
    """The state of one batch while it is decoded."""

    def __init__(self, run: Mapping[str, Runner], cross: Tensors, past: Tensors, rows: int) -> None:
        self._run = run
        self._cross = cross
        self._past = dict(past)
        self._mask: Ids = np.zeros((rows, 0), np.int64)

    def step(self, ids: Ids, mask: Ids | None = None) -> Floats:
        """Decode further tokens [R, T]; return their logits [R, T, vocab].

        `mask` [R, T]: 0 where a row has padding in place of a token, before its tokens; None: nowhere. Positions count
        the tokens that are none.
        """
        self._mask = np.concatenate([self._mask, np.ones_like(ids) if mask is None else mask], axis=1)
        positions = np.maximum(np.cumsum(self._mask, axis=1) - 1, 0)[:, -ids.shape[1] :]
        inputs = {"input_ids": ids, "position_ids": positions, "mask": self._mask, **self._past, **self._cross}
        self._keep(outputs := self._run["decoder"](inputs))
        return outputs["logits"]

    def pick(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order."""
        chosen = np.asarray(rows, np.int64)
        self._mask = self._mask[chosen]
        self._keep(self._run["reorder"]({"rows": chosen, **self._past}))

    def _keep(self, outputs: Mapping[str, NDArray[Any]]) -> None:
        for name in self._past:
            self._past[name] = outputs[name.replace("past", "present", 1)]
