"""A repository of tiny ONNX models, made here, and the embedded server that serves them."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deploy.triton.embedded import CHECKOUT, EmbeddedTriton
from tests.killed_servers import serving

# As Triton's stub does; engine_kit lies in deploy/triton.
sys.path += [str(CHECKOUT / "deploy" / "triton" / folder) for folder in ("backends/onnxruntime", "")]

OPSET, IR_VERSION = 17, 10  # what an older container can load too

INSTANCE = "instance_group [{ kind: KIND_CPU count: 1 }]\n"
BATCHING = "dynamic_batching { preferred_batch_size: [ 8 ] max_queue_delay_microseconds: 1000000 }\n"
PLAIN_TYPES = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"]
GRAPH_TYPES = {"FP16": "FLOAT16", "FP32": "FLOAT", "FP64": "DOUBLE"}


def value(name: str, kind: int, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def save(
    path: Path,
    nodes: list,
    inputs: list,
    outputs: list,
    constants: dict[str, np.ndarray] | None = None,
    metadata: dict[str, str] | None = None,
) -> None:
    initializers = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(model, metadata or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def write_config(repository: Path, name: str, text: str) -> None:
    (repository / name).mkdir(parents=True, exist_ok=True)
    (repository / name / "config.pbtxt").write_text(text + INSTANCE, encoding="utf-8")


def tensor(kind: str, name: str, data_type: str, dims: str = "-1") -> str:
    return f'{kind} {{ name: "{name}" data_type: TYPE_{data_type} dims: [ {dims} ] }}\n'


def make_times(repository: Path) -> None:
    """X times 2 in version 1, times 3 in version 2; batches are merged."""
    for version, factor in (("1", 2.0), ("2", 3.0)):
        save(
            repository / "times" / version / "factor.onnx",
            [helper.make_node("Mul", ["X", "factor"], ["Y"])],
            [value("X", TensorProto.FLOAT, ["batch", "n"])],
            [value("Y", TensorProto.FLOAT, ["batch", "n"])],
            {"factor": np.array(factor, np.float32)},
        )
    write_config(
        repository,
        "times",
        'backend: "onnxruntime" max_batch_size: 8 default_model_filename: "factor.onnx"\nversion_policy: { all { } }\n'
        + tensor("input", "X", "FP32")
        + tensor("output", "Y", "FP32")
        + BATCHING,
    )


def make_network(repository: Path) -> None:
    """A convolution and a product; with and without the openvino block, exported for bf16 or not."""
    bf16 = '{ name : "openvino" parameters { key: "precision" value: "BF16" } }'
    for name, block, metadata in (
        ("network", "", {}),
        ("network_openvino", '{ name : "openvino" }', {}),
        ("network_bf16", bf16, {"polylip.precision": "bf16"}),
        ("network_unmarked", bf16, {}),
    ):
        save(
            repository / name / "1" / "model.onnx",
            [
                helper.make_node("Conv", ["X", "kernel"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                helper.make_node("Relu", ["c"], ["r"]),
                helper.make_node("GlobalAveragePool", ["r"], ["p"]),
                helper.make_node("Flatten", ["p"], ["f"]),
                helper.make_node("MatMul", ["f", "weight"], ["Y"]),
            ],
            [value("X", TensorProto.FLOAT, ["batch", 3, 32, 32])],
            [value("Y", TensorProto.FLOAT, ["batch", 5])],
            {
                "kernel": np.random.default_rng(1).standard_normal((16, 3, 3, 3), np.float32),
                "weight": np.random.default_rng(2).standard_normal((16, 5), np.float32),
            },
            metadata,
        )
        block = f"optimization {{ execution_accelerators {{ cpu_execution_accelerator : [ {block} ] }} }}\n" * bool(
            block
        )
        write_config(
            repository,
            name,
            'platform: "onnxruntime_onnx" max_batch_size: 4\n'
            + tensor("input", "X", "FP32", "3, 32, 32")
            + tensor("output", "Y", "FP32", "5")
            + 'parameters { key: "intra_op_thread_count" value: { string_value: "1" } }\n'
            + block,
        )


def make_look_up(repository: Path, name: str, warmup: str) -> None:
    """Item INDEX of a list of four, and the TEXT as it came; an index from 4 on fails the whole run."""
    save(
        repository / name / "1" / "model.onnx",
        [
            helper.make_node("Gather", ["list", "INDEX"], ["ITEM"]),
            helper.make_node("Identity", ["TEXT"], ["TEXT_OUT"]),
            helper.make_node("Add", ["LEFT", "RIGHT"], ["SUM"]),
        ],
        [
            value("INDEX", TensorProto.INT64, ["batch", 1]),
            value("TEXT", TensorProto.STRING, ["batch", 1]),
            value("LEFT", TensorProto.FLOAT, ["batch", "n"]),
            value("RIGHT", TensorProto.FLOAT, ["batch", "n"]),
        ],
        [
            value("ITEM", TensorProto.FLOAT, ["batch", 1]),
            value("TEXT_OUT", TensorProto.STRING, ["batch", 1]),
            value("SUM", TensorProto.FLOAT, ["batch", "n"]),
        ],
        {"list": np.array([10, 11, 12, 13], np.float32)},
    )
    write_config(
        repository,
        name,
        'backend: "onnxruntime" max_batch_size: 8\n'
        + tensor("input", "INDEX", "INT64", "1")
        + tensor("input", "TEXT", "STRING", "1")
        + tensor("input", "LEFT", "FP32")
        + tensor("input", "RIGHT", "FP32")
        + tensor("output", "ITEM", "FP32", "1")
        + tensor("output", "TEXT_OUT", "STRING", "1")
        + tensor("output", "SUM", "FP32")
        + BATCHING
        + warmup,
    )


def warmup(index: str) -> str:
    inputs = {
        "INDEX": f"data_type: TYPE_INT64 dims: [ 1 ] {index}",
        "TEXT": "data_type: TYPE_STRING dims: [ 1 ] zero_data: true",
        "LEFT": "data_type: TYPE_FP32 dims: [ 2 ] zero_data: true",
        "RIGHT": "data_type: TYPE_FP32 dims: [ 2 ] zero_data: true",
    }
    entries = "\n".join(f'inputs {{ key: "{name}" value {{ {text} }} }}' for name, text in inputs.items())
    return f'model_warmup [{{ name: "once" batch_size: 1 {entries} }}]\n'


def make_types(repository: Path) -> None:
    """One input and one output of every type, a scalar among them; no batching."""
    kinds = {name: getattr(TensorProto, GRAPH_TYPES.get(name, name)) for name in [*PLAIN_TYPES, "STRING"]}
    nodes = [helper.make_node("Identity", [f"IN_{name}"], [f"OUT_{name}"]) for name in [*kinds, "SCALAR"]]
    save(
        repository / "types" / "1" / "model.onnx",
        nodes,
        [value(f"IN_{name}", kind, ["a", "b"]) for name, kind in kinds.items()] + [value("IN_SCALAR", 1, [])],
        [value(f"OUT_{name}", kind, ["a", "b"]) for name, kind in kinds.items()] + [value("OUT_SCALAR", 1, [])],
    )
    tensors = [
        tensor("input", f"IN_{name}", name, "-1, -1") + tensor("output", f"OUT_{name}", name, "-1, -1")
        for name in kinds
    ]
    scalars = tensor("input", "IN_SCALAR", "FP32", "1") + tensor("output", "OUT_SCALAR", "FP32", "1")
    write_config(repository, "types", 'backend: "onnxruntime" max_batch_size: 0\n' + "".join(tensors) + scalars)


def make_misfits(repository: Path) -> None:
    """Models whose load must fail: a config that the graph does not fit, a file that is no graph."""
    for name, dims in (("wrong_shape", "4"), ("no_graph", "3")):
        save(
            repository / name / "1" / "model.onnx",
            [helper.make_node("Identity", ["X"], ["Y"])],
            [value("X", TensorProto.FLOAT, ["batch", 3])],
            [value("Y", TensorProto.FLOAT, ["batch", 3])],
        )
        text = tensor("input", "X", "FP32", dims) + tensor("output", "Y", "FP32", dims)
        write_config(repository, name, 'backend: "onnxruntime" max_batch_size: 2\n' + text)
    (repository / "no_graph" / "1" / "model.onnx").write_bytes(b"not a graph")


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = tmp_path_factory.mktemp("tiny_models")
    make_times(repository)
    make_network(repository)
    make_look_up(repository, "look_up", warmup("zero_data: true"))
    make_look_up(repository, "look_too_far", warmup("random_data: true"))
    make_types(repository)
    make_misfits(repository)
    return repository


@pytest.fixture(scope="session")
def tiny_server(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    models = ["times", "network", "network_openvino", "network_bf16", "network_unmarked", "look_up", "types"]
    with serving(models, repository=tiny_models, run_dir=tmp_path_factory.mktemp("tiny_server")) as server:
        yield server
