from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.errors import UnknownName
from export.precision.graphs import FORMATS, open_written, write_graph
from export.precision.matmuls import quantise_blocks, quantise_columns
from export.signature import Tensors

ROWS, MIDDLE, COLUMNS = 96, 80, 56


@pytest.fixture
def inputs() -> Tensors:
    return {"x": np.random.default_rng(1).normal(size=(2, 3, ROWS)).astype(np.float32)}


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """x [B, T, 96] @ 80 + bias, relu, @ 56; then the same rows by Gemm with its weight the other way round."""
    rng = np.random.default_rng(0)
    weights = {
        "first": rng.normal(size=(ROWS, MIDDLE)).astype(np.float32),
        "bias": rng.normal(size=(MIDDLE,)).astype(np.float32),
        "second": rng.normal(size=(MIDDLE, COLUMNS)).astype(np.float32),
        "third": rng.normal(size=(COLUMNS, MIDDLE)).astype(np.float32),
        "third_bias": rng.normal(size=(COLUMNS,)).astype(np.float32),
        "flat_shape": np.array([-1, MIDDLE]),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["middle"]),
        helper.make_node("MatMul", ["middle", "second"], ["y"]),
        helper.make_node("Reshape", ["middle", "flat_shape"], ["flat"]),
        helper.make_node("Gemm", ["flat", "third", "third_bias"], ["z"], transB=1),
    ]
    made = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", "T", ROWS])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", "T", COLUMNS]),
            helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", COLUMNS]),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    path = tmp_path / "source.onnx"
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.mark.parametrize("role", ["encoder", "decoder"])
def test_int8_computes_nearly_what_fp32_does_and_takes_less_room(
    graph: Path, inputs: Tensors, tmp_path: Path, role: str
) -> None:
    target = tmp_path / "target.onnx"
    assert "int8" in write_graph(graph, target, role, "int8")["weights"]
    expected, got = open_written(graph)(inputs), open_written(target)(inputs)
    for name, array in expected.items():
        assert got[name].shape == array.shape
        assert 0 < np.abs(got[name] - array).mean() < 0.02 * array.std(), name
    assert target.stat().st_size < 0.5 * graph.stat().st_size


def test_fp32_and_unnamed_roles_stay_exactly_what_they_were(graph: Path, inputs: Tensors, tmp_path: Path) -> None:
    for number, (role, precision) in enumerate((("decoder", "fp32"), ("reorder", "int8"))):
        target = tmp_path / f"{number}.onnx"
        assert write_graph(graph, target, role, precision)["weights"] == "fp32"
        expected, got = open_written(graph)(inputs), open_written(target)(inputs)
        assert all(np.array_equal(got[name], array) for name, array in expected.items())


def test_an_unknown_precision_names_those_there_are(graph: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=", ".join(sorted(FORMATS))):
        write_graph(graph, tmp_path / "target.onnx", "decoder", "int9")


@pytest.mark.parametrize("rows", [64, 70])
def test_rounding_is_off_by_at_most_half_a_step(rows: int) -> None:
    weight = np.random.default_rng(2).normal(size=(rows, 5)).astype(np.float32)
    weight[:, 2] = 0
    columns, scales = quantise_columns(weight)
    assert np.abs(columns * scales - weight).max() <= scales.max() / 2 + 1e-6
    blocks, scales = quantise_blocks(weight, 32)
    back = ((blocks.astype(np.float32) - 128) * scales[:, :, None]).reshape(5, -1).T
    assert np.abs(back[:rows] - weight).max() <= scales.max() / 2 + 1e-6
    assert not back[rows:].any()
