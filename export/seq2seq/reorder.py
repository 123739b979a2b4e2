"""reorder.onnx: picks rows of a decoder's cache, for beams that change places and rows that have ended."""

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import helper

from export.onnx_file import IR_VERSION, OPSET
from export.signature import Tensor

_FLOAT, _INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


def write_reorder(decoder_inputs: Sequence[Tensor], path: Path) -> None:
    """Write the graph that belongs to a decoder.

    Inputs: `rows` INT64 [picked], each 0..R-1, in any order and any number; `past_key_i`, `past_value_i` of all layers.
    Outputs: `present_key_i`, `present_value_i` FP32 [picked, heads, past, head_dim], named as the decoder names what it
    gives out, so that the same bindings serve both.
    """
    pasts = [tensor for tensor in decoder_inputs if tensor.name.startswith("past_")]
    inputs = [helper.make_tensor_value_info("rows", _INT64, ["picked"])]
    inputs += [helper.make_tensor_value_info(each.name, _FLOAT, list(each.dims)) for each in pasts]
    nodes, outputs = [], []
    for each in pasts:
        name = each.name.replace("past", "present", 1)
        nodes.append(helper.make_node("Gather", [each.name, "rows"], [name], name=f"pick_{each.name}", axis=0))
        outputs.append(helper.make_tensor_value_info(name, _FLOAT, ["picked", *each.dims[1:]]))
    graph = helper.make_graph(nodes, "reorder", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
