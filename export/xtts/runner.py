"""Runs decoder.onnx in plain ONNX Runtime with its buffers bound in place: for the gate, tests and measurements."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import OrtValue

from export.parity import Runner
from export.runtime import OpenGraph, open_graph
from export.seq2seq.runner import Floats
from export.xtts.settings import XttsSettings

_RESULTS = ("logits", "hidden")


class Decoder:
    """Rows that are decoded side by side, each as long as it is. Not for several threads."""

    def __init__(self, graph: Path | Runner, settings: XttsSettings, capacity: int, rows: int) -> None:
        """`graph`: the file, or what `open_graph` gave for it; `capacity`: most positions of a row.

        TypeError for a runner that has no session of ONNX Runtime.
        """
        opened = open_graph(graph) if isinstance(graph, Path) else graph
        if not isinstance(opened, OpenGraph):
            raise TypeError("buffers can only be bound to a session of ONNX Runtime")
        self._session = opened.session
        shape = (rows, settings.heads, capacity, settings.head_dim)
        self._buffers = {
            f"{kind}_{layer}": np.zeros(shape, np.float32)
            for layer in range(settings.layers)
            for kind in ("key", "value")
        }
        self._capacity = capacity
        self.lengths = np.zeros(rows, np.int32)
        """Positions of each row so far."""

    def prefill(self, row: int, embeds: Floats) -> tuple[Floats, Floats]:
        """Begin a row anew: [1, T, width] -> logits [1, T, codes], hidden [1, T, width]. ValueError: no room."""
        self.lengths[row] = 0
        return self._run(embeds, slice(row, row + 1))

    def step(self, embeds: Floats) -> tuple[Floats, Floats]:
        """Go on with the first R rows: [R, 1, width] -> logits [R, 1, codes], hidden [R, 1, width].

        ValueError: several positions a row, or no room.
        """
        if embeds.shape[1] != 1:
            raise ValueError(f"a step takes one position a row, not {embeds.shape[1]}")
        return self._run(embeds, slice(0, len(embeds)))

    def _run(self, embeds: Floats, rows: slice) -> tuple[Floats, Floats]:
        self.lengths[rows] += embeds.shape[1]
        lengths = self.lengths[rows]
        if len(lengths) != len(embeds) or lengths.max() > self._capacity:
            raise ValueError(f"rows of up to {lengths.max()} positions do not fit into {self._capacity}")
        binding = self._session.io_binding()
        inputs: dict[str, NDArray[Any]] = {
            "inputs_embeds": np.ascontiguousarray(embeds, np.float32),
            "row_lengths": lengths - 1,
            "total_length": lengths.max(keepdims=True),
        }
        for name, array in inputs.items():
            binding.bind_cpu_input(name, array)
        for name in _RESULTS:
            binding.bind_output(name)
        # Values of the buffers' own memory: the rows lie in one piece. They must live until the run is over.
        shared = {name: OrtValue.ortvalue_from_numpy(buffer[rows]) for name, buffer in self._buffers.items()}
        for name, value in shared.items():
            binding.bind_ortvalue_input(f"past_{name}", value)
            binding.bind_ortvalue_output(f"present_{name}", value)
        self._session.run_with_iobinding(binding)
        logits, hidden = (value.numpy() for value in binding.get_outputs()[: len(_RESULTS)])
        return logits, hidden
