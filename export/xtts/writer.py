"""Writes a graph node by node: regular networks take a tracer half a minute, and this a moment, and nothing is left
over that an optimiser would have to find.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper
from torch import Tensor as Weights
from torch import nn

from export.onnx_file import IR_VERSION, OPSET
from export.precision.rewriting import CONTRIB, constant, contrib
from export.signature import Tensor

_TYPES = {"FP32": TensorProto.FLOAT, "INT32": TensorProto.INT32, "INT64": TensorProto.INT64}


class GraphWriter:
    """Nodes and constants so far. Every method returns the name of what it computes, which is the one it is given."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._tensors: dict[str, TensorProto] = {}

    def model(self, name: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> onnx.ModelProto:
        """Return the whole, with these inputs and outputs; `dims` of theirs have every axis."""
        graph = helper.make_graph(
            self._nodes, name, list(map(_value, inputs)), list(map(_value, outputs)), list(self._tensors.values())
        )
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=IR_VERSION)

    def node(self, operator: str, inputs: Sequence[str], name: str, **settings: object) -> str:
        """A node of ONNX's own operators with one output."""
        made: Mapping[str, Any] = settings
        self._nodes.append(helper.make_node(operator, inputs, [name], name=f"{operator}_{name}", **made))
        return name

    def parts(self, x: str, names: Sequence[str]) -> Sequence[str]:
        """Cut the last axis into equal parts."""
        self._nodes.append(helper.make_node("Split", [x], names, name=f"Split_{x}", axis=-1, num_outputs=len(names)))
        return names

    def contrib(self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **settings: int) -> str:
        """A node of ONNX Runtime's own operators; returns the first output."""
        self._nodes.append(contrib(operator, inputs, outputs, **settings))
        return outputs[0]

    def weights(self, name: str, weights: Weights) -> str:
        """A constant of fp32."""
        array: NDArray[Any] = weights.detach().numpy()
        return self._constant(name, array.astype(np.float32, copy=False))

    def number(self, value: float) -> str:
        """A constant of fp32 without axes."""
        return self._constant(f"number_{value:g}", np.array(value, np.float32))

    def sizes(self, *values: int) -> str:
        """A constant INT64 [n]: axes, sizes."""
        return self._constant(f"sizes_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def norm(self, x: str, norm: nn.LayerNorm, name: str) -> str:
        """Layer norm over the last axis."""
        inputs = [x, self.weights(f"{name}.scale", norm.weight), self.weights(f"{name}.bias", norm.bias)]
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=norm.eps)

    def product(self, x: str, weight: Weights, bias: Weights | None, name: str) -> str:
        """x @ weight + bias; `weight` [inputs, outputs]."""
        if bias is None:
            return self.node("MatMul", [x, self.weights(f"{name}.weight", weight)], name)
        self.node("MatMul", [x, self.weights(f"{name}.weight", weight)], f"{name}.product")
        return self.node("Add", [f"{name}.product", self.weights(f"{name}.bias", bias)], name)

    def convolution(self, x: str, conv: nn.Conv2d | nn.ConvTranspose2d, name: str) -> str:
        """A convolution with its padding."""
        inputs = [x, self.weights(f"{name}.weight", conv.weight)]
        inputs += [] if conv.bias is None else [self.weights(f"{name}.bias", conv.bias)]
        operator = "ConvTranspose" if isinstance(conv, nn.ConvTranspose2d) else "Conv"
        assert not isinstance(conv.padding, str)
        return self.node(
            operator, inputs, name, kernel_shape=conv.kernel_size, strides=conv.stride,
            dilations=conv.dilation, pads=(*conv.padding, *conv.padding),
        )  # fmt: skip

    def _constant(self, name: str, array: NDArray[Any]) -> str:
        self._tensors.setdefault(name, constant(name, array))
        return name


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, _TYPES[tensor.data_type], list(tensor.dims))
