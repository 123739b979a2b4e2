"""A graph that has what precisions of transformers look for: a tied embedding, a product cut in three, GELU."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.signature import Tensors

WIDTH, HIDDEN, WORDS = 128, 96, 8192
FACTOR = 3.0
"""The embedding is so many times the last product's weight."""


def write(path: Path, *, of_sound: bool = False) -> Path:
    """Write it: ids [rows, new] -> logits [rows, new, WORDS]; or sound [rows, time, WIDTH] -> parts [.., HIDDEN]."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(WORDS, WIDTH)).astype(np.float32)
    weights = {
        "first": rng.normal(size=(WIDTH, 3 * HIDDEN)).astype(np.float32) / 10,
        "first_bias": rng.normal(size=3 * HIDDEN).astype(np.float32),
        "second": rng.normal(size=(HIDDEN, WIDTH)).astype(np.float32) / 10,
        "root": np.float32(2**0.5),
        "one": np.float32(1),
        "half": np.float32(0.5),
    }
    source = "sound" if of_sound else "embedded"
    nodes = [
        helper.make_node("MatMul", [source, "first"], ["product"]),
        helper.make_node("Add", ["product", "first_bias"], ["sum"]),
        helper.make_node("Split", ["sum"], ["one_part", "other_part", "last_part"], axis=2, num_outputs=3),
        helper.make_node("Div", ["one_part", "root"], ["shrunk"]),
        helper.make_node("Erf", ["shrunk"], ["error"]),
        helper.make_node("Add", ["error", "one"], ["raised"]),
        helper.make_node("Mul", ["half", "raised"], ["share"]),
        helper.make_node("Mul", ["one_part", "share"], ["gelu"]),
        helper.make_node("Mul", ["gelu", "other_part"], ["gated"]),
        helper.make_node("Add", ["gated", "last_part"], ["joined"]),
        helper.make_node("MatMul", ["joined", "second"], ["last"]),
    ]
    inputs, outputs = [_value("sound", TensorProto.FLOAT, WIDTH)], [_value("last", TensorProto.FLOAT, WIDTH)]
    if not of_sound:
        weights |= {"table": table, "vocabulary": np.ascontiguousarray(table.T) / np.float32(FACTOR)}
        nodes.insert(0, helper.make_node("Gather", ["table", "ids"], ["embedded"]))
        nodes.append(helper.make_node("MatMul", ["last", "vocabulary"], ["logits"]))
        inputs, outputs = [_value("ids", TensorProto.INT64)], [_value("logits", TensorProto.FLOAT, WORDS)]
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "small", inputs, outputs, tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def inputs(*, of_sound: bool = False, rows: int = 3) -> Tensors:
    """Draw what it reads."""
    rng = np.random.default_rng(1)
    if of_sound:
        return {"sound": rng.normal(size=(rows, 40, WIDTH)).astype(np.float32)}
    return {"ids": rng.integers(0, WORDS, (rows, 5))}


def operators(path: Path) -> list[str]:
    """Return the operators of a graph in order."""
    return [node.op_type for node in onnx.load(path).graph.node]


def _value(name: str, kind: int, *width: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, ["rows", "new", *width])
