"""Makes pad_front.onnx, run as a script. Needs the package onnx, which servers lack.

One node for every model: tensor FP32 [n, heads, length, size], front INT64 [1] -> padded [n, heads, front + length,
size], zeros in front. Joining batches runs it with the answer bound into some rows of a larger tensor, so that caches
are put side by side with one copy each and none in Python.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

FILE = Path(__file__).parent / "pad_front.onnx"
_OPSET, _IR_VERSION = 17, 10


def pad_front_graph() -> onnx.ModelProto:
    """Return the graph."""
    nodes = [
        helper.make_node("Constant", [], ["before"], value_ints=[0, 0]),
        helper.make_node("Constant", [], ["after"], value_ints=[0, 0, 0, 0, 0]),
        helper.make_node("Concat", ["before", "front", "after"], ["pads"], axis=0),
        helper.make_node("Pad", ["tensor", "pads"], ["padded"]),
    ]
    inputs = [
        helper.make_tensor_value_info("tensor", TensorProto.FLOAT, ["n", "heads", "length", "size"]),
        helper.make_tensor_value_info("front", TensorProto.INT64, [1]),
    ]
    output = helper.make_tensor_value_info("padded", TensorProto.FLOAT, ["n", "heads", "total", "size"])
    graph = helper.make_graph(nodes, "pad_front", inputs, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)


if __name__ == "__main__":
    FILE.write_bytes(pad_front_graph().SerializeToString())
