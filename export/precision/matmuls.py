"""Matrix products with constant weights, rewritten to 8 bits: MatMul and Gemm of an ONNX graph."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

CONTRIB = "com.microsoft"
"""Domain of ONNX Runtime's own operators."""
BLOCK = 32
"""Rows of a weight that share a scale in `weights_int8`."""
_LEAST_ELEMENTS = 1024
"""Smaller weights stay as they are."""


@dataclass(frozen=True)
class _Product:
    """One node `input @ weight (+ bias)`."""

    node: NodeProto
    weight: NDArray[np.float32]
    """[K, N]"""
    bias: str
    """Name of its tensor, "" if there is none."""


def dynamic_int8(source: Path, target: Path) -> Mapping[str, str]:
    """Weights int8 with one scale a column, activations uint8 with one scale a tensor, found at run time.

    For long inputs. Operator DynamicQuantizeMatMul (ONNX Runtime, docs/ContribOperators.md).
    """
    _rewrite(source, target, _dynamic)
    return {"weights": "int8 per column", "activations": "uint8 per tensor, at run time"}


def weights_int8(source: Path, target: Path) -> Mapping[str, str]:
    """Weights int8 with one scale for each block of 32; activations are rounded likewise inside the product.

    For single tokens, where reading the weights is what takes time. Operator MatMulNBits, accuracy level 4
    (ONNX Runtime, docs/ContribOperators.md).
    """
    _rewrite(source, target, _blockwise)
    return {"weights": f"int8 in blocks of {BLOCK}", "activations": f"int8 in blocks of {BLOCK}, inside products"}


def quantise_columns(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a weight [K, N] to -127..127; returns it with the scale of each column [N]."""
    scales = _scales(np.abs(weight).max(axis=0))
    return np.rint(weight / scales).astype(np.int8), scales


def quantise_blocks(weight: NDArray[np.float32], block: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round a weight [K, N] as MatMulNBits wants it: uint8 [N, ceil(K / block), block] around 128, scales likewise.

    A last block that K does not fill is filled with zeros.
    """
    rows, columns = weight.shape
    blocks = -(-rows // block)
    padded = np.zeros((columns, blocks * block), np.float32)
    padded[:, :rows] = weight.T
    grouped = padded.reshape(columns, blocks, block)
    scales = _scales(np.abs(grouped).max(axis=2))
    return (np.rint(grouped / scales[:, :, None]) + 128).astype(np.uint8), scales


def _scales(greatest: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(greatest > 0, greatest / 127, 1).astype(np.float32)


_Convert = Callable[[_Product, str], tuple[list[NodeProto], list[TensorProto]]]


def _rewrite(source: Path, target: Path, convert: _Convert) -> None:
    model = onnx.load(source)
    graph = model.graph
    nodes: list[NodeProto] = []
    added: list[TensorProto] = []
    products = {id(product.node): product for product in _products(graph)}
    for index, node in enumerate(graph.node):
        product = products.get(id(node))
        if product is None:
            nodes.append(node)
            continue
        made, tensors = convert(product, f"{node.name or node.op_type}_{index}")
        nodes.extend(made)
        added.extend(tensors)
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(added)
    drop_unused(graph)
    add_contrib(model)
    onnx.save(model, target)


def _products(graph: onnx.GraphProto) -> Iterator[_Product]:
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type not in ("MatMul", "Gemm") or node.domain or node.input[1] not in tensors:
            continue
        weight = numpy_helper.to_array(tensors[node.input[1]])
        if weight.ndim != 2 or weight.size < _LEAST_ELEMENTS or weight.dtype != np.float32:
            continue
        settings = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
        if settings.get("transA", 0) or settings.get("alpha", 1.0) != 1 or settings.get("beta", 1.0) != 1:
            continue
        if settings.get("transB", 0):
            weight = weight.T
        yield _Product(node, weight, node.input[2] if len(node.input) > 2 else "")


def _dynamic(product: _Product, name: str) -> tuple[list[NodeProto], list[TensorProto]]:
    rounded, scales = quantise_columns(product.weight)
    tensors = _tensors(name, rounded=rounded, scales=scales)
    inputs = [product.node.input[0], *(tensor.name for tensor in tensors)]
    if product.bias:
        inputs += ["", product.bias]
    node = helper.make_node("DynamicQuantizeMatMul", inputs, list(product.node.output), name=name, domain=CONTRIB)
    return [node], tensors


def _blockwise(product: _Product, name: str) -> tuple[list[NodeProto], list[TensorProto]]:
    rows, columns = product.weight.shape
    rounded, scales = quantise_blocks(product.weight, BLOCK)
    tensors = _tensors(name, rounded=rounded, scales=scales)
    result = f"{name}_product" if product.bias else product.node.output[0]
    inputs = [product.node.input[0], *(tensor.name for tensor in tensors)]
    settings: dict[str, Any] = {"K": rows, "N": columns, "bits": 8, "block_size": BLOCK, "accuracy_level": 4}
    nodes = [helper.make_node("MatMulNBits", inputs, [result], name=name, domain=CONTRIB, **settings)]
    if product.bias:
        nodes.append(helper.make_node("Add", [result, product.bias], list(product.node.output), name=f"{name}_bias"))
    return nodes, tensors


def _tensors(name: str, **arrays: NDArray[Any]) -> list[TensorProto]:
    return [numpy_helper.from_array(np.ascontiguousarray(array), f"{name}_{key}") for key, array in arrays.items()]


def drop_unused(graph: onnx.GraphProto) -> None:
    """Remove the initializers that no node reads."""
    used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def add_contrib(model: onnx.ModelProto) -> None:
    """Declare ONNX Runtime's own operators."""
    if all(entry.domain != CONTRIB for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
