"""OrtValues and bindings at the level below ONNX Runtime's Python classes, where a step binds dozens of tensors.

An OrtValue made of an array *looks into the array's memory and does not keep it alive*: whoever makes one holds the
array for as long as the value is bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

OrtValue: TypeAlias = Any
"""onnxruntime.capi's own OrtValue: a tensor that Python only passes on."""
Binding: TypeAlias = Any
"""onnxruntime.capi's SessionIOBinding."""

CPU = runtime.OrtDevice(runtime.OrtDevice.cpu(), runtime.OrtDevice.default_memory(), 0)

_FP32_BYTES = np.dtype(np.float32).itemsize


def of_array(array: NDArray[Any]) -> OrtValue:
    """Make a view of a contiguous array; see the module's warning."""
    return runtime.OrtValue.ortvalue_from_numpy(array, CPU)


def empty_value(shape: Sequence[int]) -> OrtValue:
    """Make an uninitialised FP32 tensor that ONNX Runtime owns."""
    return runtime.OrtValue.ortvalue_from_shape_and_type(list(shape), np.float32, CPU)


def bind_rows(binding: Binding, name: str, whole: OrtValue, first_row: int, rows: int) -> None:
    """Bind the output `name` to some rows of `whole` (FP32): the graph writes there."""
    row = whole.shape()[1:]
    pointer = whole.data_ptr() + first_row * math.prod(row) * _FP32_BYTES
    binding.bind_output(name, CPU, np.float32, [rows, *row], pointer)


class Session:
    """One graph, with its tensors' names."""

    def __init__(self, session: onnxruntime.InferenceSession, options: onnxruntime.RunOptions) -> None:
        self._keep = session
        self._session = session._sess
        self._options = options
        self.inputs = {tensor.name: tensor for tensor in session.get_inputs()}
        self.outputs = {tensor.name: tensor for tensor in session.get_outputs()}

    def binding(self) -> Binding:
        """Make an empty binding."""
        return runtime.SessionIOBinding(self._session)

    def run(self, binding: Binding) -> None:
        """Run with what is bound."""
        self._session.run_with_iobinding(binding, self._options)


def outputs_of(binding: Binding) -> list[OrtValue]:
    """Return the outputs in the order in which they were first bound."""
    values = binding.get_outputs()
    # By index: iterating over ONNX Runtime's vector costs five times as much, 4 us a tensor.
    return [values[index] for index in range(len(values))]
