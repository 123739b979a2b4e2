from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.precision import Job, precision
from export.runtime import open_graph
from tests.fakes.tiny_family import FAMILY


@pytest.fixture
def build(tmp_path: Path):
    """Build the fp16 version of a graph with one float input X [n, 64] and output Y; return (fp32, fp16) runners."""

    def make(*nodes: onnx.NodeProto, **weights: np.ndarray):
        sizes = ["batch", None]
        graph = helper.make_graph(
            list(nodes),
            "g",
            [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["batch", 64])],
            [helper.make_tensor_value_info("Y", TensorProto.FLOAT, sizes)],
            [numpy_helper.from_array(array, name) for name, array in weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.save(model, tmp_path / "fp32.onnx")
        (tmp_path / "version").mkdir()
        precision("fp16").build(Job(tmp_path / "fp32.onnx", tmp_path / "version", FAMILY, 0))
        return open_graph(tmp_path / "fp32.onnx"), precision("fp16").open(tmp_path / "version")

    return make


def test_weights_are_stored_in_half_precision_and_the_border_stays(build, tmp_path):
    weight = np.random.default_rng(1).standard_normal((64, 64), np.float32)
    exact, half = build(helper.make_node("MatMul", ["X", "w"], ["Y"]), w=weight)
    rows = np.random.default_rng(2).standard_normal((5, 64), np.float32)
    stored = onnx.load(tmp_path / "version" / "model.onnx").graph.initializer
    assert {each.data_type for each in stored} == {TensorProto.FLOAT16}
    got, expected = half({"X": rows})["Y"], exact({"X": rows})["Y"]
    assert got.dtype == np.float32
    assert 1e-5 < np.abs(got - expected).max() / expected.std() < 5e-3


def test_sums_of_squares_do_not_overflow(build):
    exact, half = build(
        helper.make_node("Mul", ["X", "w"], ["scaled"]),
        helper.make_node("ReduceL2", ["scaled", "axis"], ["norm"], keepdims=1),
        helper.make_node("Div", ["scaled", "norm"], ["Y"]),
        w=np.full((1,), 300, np.float32),  # 64 * 300 ** 2 is far above 65504
        axis=np.array([1]),
    )
    rows = np.random.default_rng(2).uniform(0.5, 1, (3, 64)).astype(np.float32)
    np.testing.assert_allclose(half({"X": rows})["Y"], exact({"X": rows})["Y"], rtol=5e-3)


def test_weights_below_half_precision_neither_warn_nor_become_noise(build):
    weight = np.full((64, 64), 1e-9, np.float32)
    weight[0, 0] = 1.0
    _, half = build(helper.make_node("MatMul", ["X", "w"], ["Y"]), w=weight)
    got = half({"X": np.ones((1, 64), np.float32)})["Y"]
    assert got[0, 0] == pytest.approx(1, abs=1e-3)
    assert np.abs(got[0, 1:]).max() < 1e-4
