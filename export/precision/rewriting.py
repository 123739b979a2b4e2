"""Puts other nodes in the place of some of a graph's, and leaves no weight behind that nobody reads."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

CONTRIB = "com.microsoft"
"""Domain of ONNX Runtime's own operators."""


def constant(name: str, array: NDArray[Any]) -> TensorProto:
    """Make an initializer."""
    return numpy_helper.from_array(np.ascontiguousarray(array), name)


def contrib(operator: str, inputs: Sequence[str], outputs: Sequence[str], **settings: int) -> NodeProto:
    """Make a node of one of ONNX Runtime's own operators, named after its first output."""
    numbers: dict[str, Any] = dict(settings)
    return helper.make_node(operator, inputs, outputs, name=f"{operator}_{outputs[0]}", domain=CONTRIB, **numbers)


def replace_nodes(model: onnx.ModelProto, instead: Mapping[int, Sequence[NodeProto]], dropped: Collection[int]) -> None:
    """Put `instead[id(node)]` where each such node stands; remove those in `dropped`, then unread initializers."""
    graph = model.graph
    nodes: list[NodeProto] = []
    for node in graph.node:
        if id(node) in instead:
            nodes += instead[id(node)]
        elif id(node) not in dropped:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unread(graph)
    _declare_contrib(model)


def _drop_unread(graph: onnx.GraphProto) -> None:
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    if len(kept) < len(graph.initializer):
        del graph.initializer[:]
        graph.initializer.extend(kept)


def _declare_contrib(model: onnx.ModelProto) -> None:
    used = any(node.domain == CONTRIB for node in model.graph.node)
    if used and all(entry.domain != CONTRIB for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
