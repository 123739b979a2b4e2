from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.errors import PrecisionUnavailable
from export.family import family
from export.precision import Job, openvino, precision
from export.runtime import open_graph


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """X [n, 64] times a matrix."""
    weight = np.random.default_rng(1).standard_normal((64, 64), np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["X", "weight"], ["Y"])],
        "product",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["batch", 64])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["batch", 64])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, tmp_path / "source.onnx")
    return tmp_path / "source.onnx"


def test_a_processor_without_bfloat16_is_told_so_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : fpu avx512f avx512_vnni\n")
    monkeypatch.setattr(openvino, "CPUINFO", cpuinfo)
    with pytest.raises(PrecisionUnavailable, match=r"no bfloat16 arithmetic .* export fp32"):
        precision("bf16").check_available()


def test_the_file_stays_fp32_and_the_gate_sees_what_bfloat16_makes_of_it(product: Path, tmp_path: Path) -> None:
    folder = tmp_path / "version"
    folder.mkdir()
    bf16 = precision("bf16")
    bf16.build(Job(product, folder, family("wav2lip"), seed=0))
    assert (folder / "model.onnx").read_bytes() == product.read_bytes()
    if not openvino.processor_has_bf16():
        pytest.skip("this processor has no bfloat16 arithmetic")

    rows = np.random.default_rng(2).standard_normal((8, 64), np.float32)
    exact = open_graph(product)({"X": rows})["Y"]
    error = np.abs(bf16.open(folder)({"X": rows})["Y"] - exact).max() / exact.std()

    assert 1e-4 < error < 2e-2  # rounded to 8 bits, but computed all the same
    assert bf16.execution()["INFERENCE_PRECISION_HINT"] == "bf16"
