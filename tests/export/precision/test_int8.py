"""Mixed int8 on a network of three convolutions, the middle one made to suffer from 8 bits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.errors import ParityMissed
from export.family import Family
from export.parity import Limit, max_abs_difference
from export.precision import Job, openvino, precision
from export.precision.quantiser import Layer, Quantiser, heavy_layers
from export.runtime import open_graph
from export.signature import Signature, Tensor, Tensors

NAMES = ("tame", "wild", "wide")


class Three(Family):
    """The network below: two layers that 8 bits suffice for, and one whose channels differ by a factor of 300."""

    name = "three"
    triton_model = "three"
    licence = source = ""
    published_files = ()
    precisions = ("int8",)
    signature = Signature((Tensor("X", "FP32", (4, 12, 12)),), (Tensor("Y", "FP32", (4, 24, 24)),))
    batch_sizes = (1, 2)
    reduced_width = 1.0

    def __init__(self, max_abs: float) -> None:
        self._limit = Limit(max_abs=max_abs, batch_abs=max_abs)

    def samples(self, rng: np.random.Generator, batch: int) -> Tensors:
        return {"X": rng.uniform(-1, 1, (batch, 4, 12, 12)).astype(np.float32)}

    def limits(self, precision: str) -> Mapping[str, Limit]:
        return {"Y": self._limit}

    def synth(self, seed, width):
        raise NotImplementedError

    load = graph = reference = synth


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(1)
    tame = rng.standard_normal((4, 4, 3, 3)).astype(np.float32) * 0.1
    tame[0] *= 300  # one scale for all of the activations: the other channels are lost in it
    wild = rng.standard_normal((4, 4, 3, 3)).astype(np.float32) * 0.1
    wild[:, 0] /= 300
    wide = rng.standard_normal((4, 4, 3, 3)).astype(np.float32) * 0.1
    nodes = [
        helper.make_node("Conv", ["X", "w0"], ["a"], name="tame", pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["a", "w1"], ["b"], name="wild", pads=[1, 1, 1, 1]),
        helper.make_node(
            "ConvTranspose", ["b", "w2"], ["Y"], name="wide", strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "three",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["batch", 4, 12, 12])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["batch", 4, 24, 24])],
        [numpy_helper.from_array(weight, f"w{index}") for index, weight in enumerate((tame, wild, wide))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    path = tmp_path_factory.mktemp("three") / "source.onnx"
    onnx.save(model, path)
    return path


def build(network: Path, folder: Path, max_abs: float) -> onnx.ModelProto:
    folder.mkdir()
    precision("int8").build(Job(network, folder, Three(max_abs), seed=3))
    return onnx.load(folder / "model.onnx")


def int8_layers(model: onnx.ModelProto) -> set[str]:
    return set({entry.key: entry.value for entry in model.metadata_props}["polylip.int8_layers"].split())


def test_layers_that_do_harm_stay_float_and_the_others_become_int8(network: Path, tmp_path: Path) -> None:
    model = build(network, tmp_path / "version", max_abs=0.05)
    assert int8_layers(model) == {"tame", "wide"}
    makers = {name: node.op_type for node in model.graph.node for name in node.output}
    read = {node.name: makers.get(node.input[1]) for node in model.graph.node if "Conv" in node.op_type}
    assert read == {"tame": "DequantizeLinear", "wide": "DequantizeLinear", "wild": None}


def test_the_version_keeps_the_limit_when_it_is_served(network: Path, tmp_path: Path) -> None:
    build(network, tmp_path / "version", max_abs=0.05)
    family = Three(0.05)
    inputs = family.samples(np.random.default_rng(99), 5)
    served = precision("int8").open(tmp_path / "version")(inputs)["Y"]
    assert 0 < max_abs_difference(served, open_graph(network)(inputs)["Y"]) <= 0.05


def test_generous_limits_allow_every_heavy_layer(network: Path, tmp_path: Path) -> None:
    assert int8_layers(build(network, tmp_path / "version", max_abs=1e3)) == set(NAMES)


def test_limits_that_no_layer_keeps_are_an_error_and_leave_nothing(network: Path, tmp_path: Path) -> None:
    with pytest.raises(ParityMissed, match="three int8: the limits are missed with any layer in int8"):
        build(network, tmp_path / "version", max_abs=0.0)
    assert [path.name for path in tmp_path.rglob("*")] == ["version"]


@pytest.mark.parametrize(("flags", "float_layers"), [("avx512f", "fp32"), ("avx512_bf16", "bf16")])
def test_the_version_says_what_its_float_layers_were_checked_in(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, float_layers: str
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"flags : fpu {flags}\n")
    monkeypatch.setattr(openvino, "CPUINFO", cpuinfo)
    model = build(network, tmp_path / "version", max_abs=1e3)
    assert {"polylip.float_layers": float_layers}.items() <= {e.key: e.value for e in model.metadata_props}.items()


def test_only_layers_with_a_share_of_the_work_are_candidates(network: Path) -> None:
    inputs = Three(1).samples(np.random.default_rng(0), 2)
    positions = 12 * 12  # of the output, for the transposed one of the input
    assert heavy_layers(network, inputs, 0.1) == [Layer(name, 4 * 4 * 9 * positions) for name in NAMES]
    assert heavy_layers(network, inputs, 0.4) == []


def test_a_quantiser_writes_any_choice_of_layers_from_one_calibration(network: Path, tmp_path: Path) -> None:
    inputs = [Three(1).samples(np.random.default_rng(seed), 2) for seed in range(2)]
    quantiser = Quantiser(network, inputs, tmp_path)
    for chosen in NAMES:
        quantiser.write([Layer(chosen, 1)], tmp_path / "one.onnx")
        graph = onnx.load(tmp_path / "one.onnx").graph
        makers = {name: node.op_type for node in graph.node for name in node.output}
        quantised = [node.name for node in graph.node if makers.get(node.input[1]) == "DequantizeLinear"]
        assert quantised == [chosen]
