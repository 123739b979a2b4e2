"""Finds the products with constant weights in a graph, and the embeddings, with what belongs to them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

_LEAST_ELEMENTS = 1024
"""Smaller weights are none of our business."""


@dataclass(frozen=True)
class Product:
    """input @ weight (+ bias), possibly cut into equal parts along the last axis."""

    nodes: tuple[NodeProto, ...]
    """MatMul, then the Add of its bias, then Split, as far as there are such."""
    input: str
    outputs: tuple[str, ...]
    """One, or the parts."""
    weight: NDArray[np.float32]
    """[K, N]"""
    bias: NDArray[np.float32] | None
    """[N]"""

    @property
    def name(self) -> str:
        """Fit for naming what is made of it."""
        return str(self.nodes[0].output[0])

    def part(self, index: int) -> "Product":
        """Return one of the parts as a product of its own."""
        size = self.weight.shape[1] // len(self.outputs)
        columns = slice(index * size, (index + 1) * size)
        bias = None if self.bias is None else self.bias[columns]
        return Product(self.nodes, self.input, (self.outputs[index],), self.weight[:, columns], bias)


@dataclass(frozen=True)
class Embedding:
    """Rows of a table, picked by a Gather along its first axis."""

    node: NodeProto
    table: NDArray[np.float32]
    """[rows, width]"""


class Parts:
    """What of a graph can be rewritten."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._readers: Mapping[str, list[NodeProto]] = _readers(graph)
        self._results = {output.name for output in graph.output}
        self.products = list(self._products(graph))
        self.embeddings = list(self._embeddings(graph))

    def _products(self, graph: onnx.GraphProto) -> Iterator[Product]:
        for node in graph.node:
            weight = self._matrix(node.input[1]) if node.op_type == "MatMul" and not node.domain else None
            if weight is None:
                continue
            nodes, bias = [node], None
            following = self._only_reader(node)
            if following is not None and following.op_type == "Add":
                bias = self._vector(following, weight.shape[1])
                nodes += [following] * (bias is not None)
            following = self._only_reader(nodes[-1])
            if following is not None and _cuts_evenly(following, weight.shape[1]):
                nodes.append(following)
            yield Product(tuple(nodes), node.input[0], tuple(nodes[-1].output), weight, bias)

    def _embeddings(self, graph: onnx.GraphProto) -> Iterator[Embedding]:
        for node in graph.node:
            if node.op_type != "Gather" or any(entry.name == "axis" and entry.i for entry in node.attribute):
                continue
            table = self._matrix(node.input[0])
            if table is not None:
                yield Embedding(node, table)

    def _matrix(self, name: str) -> NDArray[np.float32] | None:
        tensor = self._tensors.get(name)
        if tensor is None or tensor.data_type != TensorProto.FLOAT or len(tensor.dims) != 2:
            return None
        matrix: NDArray[np.float32] = numpy_helper.to_array(tensor)
        return matrix if matrix.size >= _LEAST_ELEMENTS else None

    def _vector(self, node: NodeProto, size: int) -> NDArray[np.float32] | None:
        for name in node.input:
            tensor = self._tensors.get(name)
            if tensor is not None and list(tensor.dims) == [size]:
                vector: NDArray[np.float32] = numpy_helper.to_array(tensor)
                return vector
        return None

    def _only_reader(self, node: NodeProto) -> NodeProto | None:
        name = node.output[0]
        readers = self._readers[name]
        return readers[0] if len(readers) == 1 and name not in self._results else None


def _readers(graph: onnx.GraphProto) -> Mapping[str, list[NodeProto]]:
    found: dict[str, list[NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            found[name].append(node)
    return found


def _cuts_evenly(node: NodeProto, size: int) -> bool:
    """Whether it is a Split along the last axis (of three, as all products here have) into equal parts."""
    settings = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    return (
        node.op_type == "Split"
        and len(node.input) == 1
        and settings.get("axis", 0) in (2, -1)
        and size % len(node.output) == 0
    )
