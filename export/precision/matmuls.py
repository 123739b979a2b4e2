"""Products with constant weights, and embeddings, in 8 bits."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from export.precision.products import Embedding, Parts, Product
from export.precision.rewriting import constant, contrib, replace_nodes

BLOCK = 128
"""Numbers of a weight that share a scale in `weights_int8`. With 32, four products in ten take twice the time on
AVX-512 VNNI; a whole column, as other libraries take, is 512 to 4096."""
_LEAST_BLOCK = 16
"""What MatMulNBits takes."""
_LEAST_TABLE = 2**20
"""Numbers in an embedding that is worth the trouble."""
_ZERO = 128
"""What stands for 0 in MatMulNBits' unsigned bytes."""

_Made = tuple[list[NodeProto], list[TensorProto]]


def dynamic_int8(model: onnx.ModelProto) -> None:
    """Weights int8 with one scale a column, inputs uint8 with one scale a tensor, found while it runs.

    For long inputs. Rows of one run see each other through their common scale, so they must be of one request. Parts of
    a product become products: cutting up its result takes longer. Operator DynamicQuantizeMatMul (ONNX Runtime,
    docs/ContribOperators.md).
    """
    _rewrite(model, lambda product: _joined(_dynamic(product.part(part)) for part in range(len(product.outputs))))


def weights_int8(model: onnx.ModelProto) -> None:
    """Weights int8 in blocks of BLOCK with a scale each; inputs are rounded likewise inside the product, row by row.

    For single tokens, where reading the weights is what takes time, and wherever rows of several requests are run
    together. Embeddings are rounded too; one that is also a product's weight (up to a factor) is stored once. Operator
    MatMulNBits, accuracy level 4 (ONNX Runtime, docs/ContribOperators.md).
    """
    parts = Parts(model.graph)
    tables = [each for each in parts.embeddings if each.table.size >= _LEAST_TABLE and _fits(each)]
    instead: dict[int, list[NodeProto]] = {}
    dropped = {id(node) for product in parts.products for node in product.nodes}
    for product in parts.products:
        nodes, tensors = _blockwise(product)
        instead[id(product.nodes[0])] = nodes
        model.graph.initializer.extend(tensors)
        for table in [each for each in tables if each.table.shape == product.weight.T.shape]:
            factor = ratio(table.table, product.weight.T)
            if factor is not None:
                tables.remove(table)
                instead[id(table.node)] = _lookup(table, tensors, factor, model.graph)
    for table in tables:
        tensors = _tensors(table.node.output[0], *quantise_blocks(table.table.T, block_of(table.table.shape[1])))
        model.graph.initializer.extend(tensors)
        instead[id(table.node)] = _lookup(table, tensors, 1.0, model.graph)
    replace_nodes(model, instead, dropped)


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
    grouped /= scales[:, :, None]
    np.rint(grouped, out=grouped)
    grouped += _ZERO
    return grouped.astype(np.uint8), scales


def block_of(size: int) -> int:
    """Return BLOCK, or for fewer numbers the greatest power of two that does not pass them (at least 16)."""
    return min(BLOCK, max(_LEAST_BLOCK, 1 << (size.bit_length() - 1)))


def ratio(one: NDArray[np.float32], other: NDArray[np.float32]) -> float | None:
    """Return f if `one` is f times `other` everywhere, but for the rounding of floats; else None."""
    place = np.unravel_index(int(np.abs(other[:64]).argmax()), other[:64].shape)
    if not other[place]:
        return None
    factor = float(one[place] / other[place])
    for rows in range(0, len(one), 4096):  # in pieces: a comparison of everything at once takes gigabytes
        part = slice(rows, rows + 4096)
        if not np.allclose(one[part], other[part] * np.float32(factor), rtol=1e-5, atol=0):
            return None
    return factor


def _rewrite(model: onnx.ModelProto, convert: Callable[[Product], _Made]) -> None:
    instead: dict[int, Sequence[NodeProto]] = {}
    products = Parts(model.graph).products
    for product in products:
        nodes, tensors = convert(product)
        instead[id(product.nodes[0])] = nodes
        model.graph.initializer.extend(tensors)
    replace_nodes(model, instead, {id(node) for product in products for node in product.nodes})


def _dynamic(product: Product) -> _Made:
    output = product.outputs[0]
    tensors = _tensors(output, *quantise_columns(product.weight))
    inputs = [product.input, *(tensor.name for tensor in tensors)]
    if product.bias is not None:
        tensors.append(constant(f"{output}.bias", product.bias))
        inputs += ["", tensors[-1].name]
    return [contrib("DynamicQuantizeMatMul", inputs, [output])], tensors


def _blockwise(product: Product) -> _Made:
    rows, columns = product.weight.shape
    block = block_of(rows)
    tensors = _tensors(product.name, *quantise_blocks(product.weight, block))
    inputs = [product.input, *(tensor.name for tensor in tensors)]
    extra = [] if product.bias is None else [constant(f"{product.name}.bias", product.bias)]
    inputs += ["", "", extra[0].name] if extra else []
    cut = len(product.outputs) > 1
    result = f"{product.name}.whole" if cut else product.outputs[0]
    nodes = [contrib("MatMulNBits", inputs, [result], K=rows, N=columns, bits=8, block_size=block, accuracy_level=4)]
    if cut:
        nodes.append(helper.make_node("Split", [result], product.outputs, axis=-1, num_outputs=len(product.outputs)))
    return nodes, [*tensors, *extra]


def _lookup(table: Embedding, tensors: Sequence[TensorProto], factor: float, graph: onnx.GraphProto) -> list[NodeProto]:
    """Pick blocks and scales [rows, new, blocks, ...] of the rows wanted and multiply them out."""
    blocks, scales = tensors[0].name, tensors[1].name
    ids, output = table.node.input[1], table.node.output[0]
    shapes = {
        "zero": np.array(_ZERO, np.float32),
        "factor": np.array(factor, np.float32),
        "last": np.array([-1]),
        "flat": np.array([0, 0, table.table.shape[1]]),
    }
    graph.initializer.extend(constant(f"{output}.{name}", array) for name, array in shapes.items())

    def node(operator: str, inputs: Sequence[str], result: str, settings: dict[str, Any] | None = None) -> NodeProto:
        return helper.make_node(operator, inputs, [result], name=f"{operator}_{result}", **(settings or {}))

    return [
        node("Gather", [blocks, ids], f"{output}.bytes"),
        node("Cast", [f"{output}.bytes"], f"{output}.floats", {"to": TensorProto.FLOAT}),
        node("Sub", [f"{output}.floats", f"{output}.zero"], f"{output}.centred"),
        node("Gather", [scales, ids], f"{output}.row_scales"),
        node("Mul", [f"{output}.row_scales", f"{output}.factor"], f"{output}.scaled"),
        node("Unsqueeze", [f"{output}.scaled", f"{output}.last"], f"{output}.steps"),
        node("Mul", [f"{output}.centred", f"{output}.steps"], f"{output}.blocks"),
        node("Reshape", [f"{output}.blocks", f"{output}.flat"], output),
    ]


def _fits(embedding: Embedding) -> bool:
    """Whether rows are whole blocks: then looking one up needs no cutting."""
    width = embedding.table.shape[1]
    return bool(width % block_of(width) == 0)


def _scales(greatest: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(greatest > 0, greatest / 127, 1).astype(np.float32)


def _tensors(name: str, rounded: NDArray[Any], scales: NDArray[np.float32]) -> list[TensorProto]:
    return [constant(f"{name}.weight", rounded), constant(f"{name}.scales", scales)]


def _joined(made: Iterable[_Made]) -> _Made:
    nodes: list[NodeProto] = []
    tensors: list[TensorProto] = []
    for more_nodes, more_tensors in made:
        nodes += more_nodes
        tensors += more_tensors
    return nodes, tensors
