from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from client.config_file import read_config_file
from client.errors import ContractViolation
from export.errors import SignatureMismatch
from export.signature import Signature, Tensor, check_arrays, check_config, check_graph

SIGNATURE = Signature(
    (Tensor("FRAMES", "UINT8", ("height", "width", 3)),), (Tensor("SCORES", "FP32", ("height", "width")),)
)
CONFIG = """name: "m" max_batch_size: 4
input [ { name: "FRAMES" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] } ]
output [ { name: "SCORES" data_type: TYPE_FP32 dims: [ -1, -1 ] } ]"""


def graph(path: Path, dims=("batch", "h", "w", 3), kind=TensorProto.UINT8, name="FRAMES") -> Path:
    made = helper.make_graph(
        [
            helper.make_node("Cast", [name], ["cast"], to=1),
            helper.make_node("ReduceMax", ["cast", "axis"], ["SCORES"], keepdims=0),
        ],
        "g",
        [helper.make_tensor_value_info(name, kind, dims)],
        [helper.make_tensor_value_info("SCORES", TensorProto.FLOAT, dims[:3])],
        [helper.make_tensor("axis", TensorProto.INT64, [1], [3])],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)]), path)
    return path


def config(folder: Path, text: str = CONFIG) -> Path:
    (folder / "config.pbtxt").write_text(text)
    return folder / "config.pbtxt"


def test_a_graph_and_a_config_that_fit_pass(tmp_path):
    check_graph(graph(tmp_path / "g.onnx"), SIGNATURE)
    check_config(read_config_file(config(tmp_path)), SIGNATURE)


@pytest.mark.parametrize(
    "change",
    [{"dims": (1, "h", "w", 3)}, {"dims": ("batch", 4, "w", 3)}, {"kind": TensorProto.INT32}, {"name": "PICTURES"}],
    ids=["batch", "size", "type", "name"],
)
def test_a_graph_that_differs_is_refused(tmp_path, change):
    with pytest.raises(SignatureMismatch, match="the graph's inputs are"):
        check_graph(graph(tmp_path / "g.onnx", **change), SIGNATURE)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("TYPE_UINT8", "TYPE_FP32", "inputs are FRAMES FP32"),
        ("-1, -1, 3", "-1, -1, 1", "inputs are FRAMES UINT8"),
        ('"SCORES"', '"LIKELY"', "outputs are LIKELY"),
        ("max_batch_size: 4", "", "max_batch_size"),
    ],
)
def test_a_config_that_differs_is_refused(tmp_path, old, new, named):
    with pytest.raises(SignatureMismatch, match=named):
        check_config(read_config_file(config(tmp_path, CONFIG.replace(old, new))), SIGNATURE)


def test_a_config_that_is_no_config_is_refused(tmp_path):
    with pytest.raises(ContractViolation, match=r"config\.pbtxt cannot be read"):
        read_config_file(config(tmp_path, "max_batch_size: many"))


def test_one_name_is_one_size_in_all_tensors_of_a_call():
    frames = np.zeros((2, 5, 7, 3), np.uint8)
    check_arrays(
        {"FRAMES": frames, "SCORES": np.zeros((2, 5, 7), np.float32)}, [*SIGNATURE.inputs, *SIGNATURE.outputs], "x"
    )
    for shape in ((3, 5, 7), (2, 7, 5)):
        with pytest.raises(SignatureMismatch, match="SCORES"):
            arrays = {"FRAMES": frames, "SCORES": np.zeros(shape, np.float32)}
            check_arrays(arrays, [*SIGNATURE.inputs, *SIGNATURE.outputs], "x")
