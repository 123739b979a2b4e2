"""Keeps a graph's weights as half-precision numbers: half the file. They are widened again when the graph is loaded."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

_SMALLEST = 256
"""Numbers in a tensor; smaller ones stay as they are."""


def round_weights(network: nn.Module) -> None:
    """Round all weights to what half precision can hold, so that nothing changes when they are stored so."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.to(torch.float16).to(torch.float32))


def store_half(path: Path) -> None:
    """Store the file's large float32 weights as float16, each behind a Cast; values that would change stay float32."""
    model = onnx.load(path)
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _SMALLEST:
            continue
        with np.errstate(over="ignore"):  # an infinity does not equal what it was
            halves = values.astype(np.float16)
        if not np.array_equal(halves, values):
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(halves, f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    for position, cast in enumerate(casts):
        model.graph.node.insert(position, cast)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
