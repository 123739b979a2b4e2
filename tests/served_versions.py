"""A tiny model of the STT contract: as many versions as wanted, sound or broken in every way, and an ensemble of it.

Version n hears "version n" in whatever is said to it, and is as sure as the sound is quiet.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from client.connection import TritonConnection
from client.errors import ContractViolation
from client.sample import EQUAL, Check
from client.tensors import unary_inputs
from export.runtime import open_graph
from export.sample import record_sample

MODEL, ENSEMBLE = "stt_tiny", "stt_tiny_twice"

_TENSORS = """
max_batch_size: 0
input [ { name: "AUDIO" data_type: TYPE_FP32 dims: [ -1 ] }, { name: "LANGUAGE" data_type: TYPE_STRING dims: [ 1 ] } ]
output [
  { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] },
  { name: "HEARD" data_type: TYPE_STRING dims: [ 1 ] },
  { name: "NO_SPEECH_PROBABILITY" data_type: TYPE_FP32 dims: [ 1 ] },
  { name: "MEAN_LOGPROB" data_type: TYPE_FP32 dims: [ 1 ] }
]
"""
CONFIG = f"""# What Triton serves in tests.
name: "{MODEL}"
backend: "onnxruntime"
{_TENSORS}
instance_group [ {{ kind: KIND_CPU count: 1 }} ]  # one is enough
parameters [ {{ key: "intra_op_thread_count" value: {{ string_value: "1" }} }} ]
model_warmup [ {{ name: "noise" batch_size: 1 inputs [
  {{ key: "AUDIO" value: {{ data_type: TYPE_FP32 dims: [ 16 ] zero_data: true }} }},
  {{ key: "LANGUAGE" value: {{ data_type: TYPE_STRING dims: [ 1 ] zero_data: true }} }}
] }} ]
"""
_MAPS = "\n".join(
    f'{kind} {{ key: "{name}" value: "{name}" }}'
    for kind, names in (
        ("input_map", ("AUDIO", "LANGUAGE")),
        ("output_map", ("TEXT", "HEARD", "NO_SPEECH_PROBABILITY", "MEAN_LOGPROB")),
    )
    for name in names
)
ENSEMBLE_CONFIG = f"""name: "{ENSEMBLE}"
platform: "ensemble"
{_TENSORS}
ensemble_scheduling {{ step [ {{ model_name: "{MODEL}" model_version: -1 {_MAPS} }} ] }}
"""
AUDIO = np.linspace(-0.5, 0.5, 32, dtype=np.float32)
TERABYTES = 2**46
"""Elements of fp32: more than any machine's address space."""


def make_repository(folder: Path, versions: int) -> Path:
    """Make a repository with these versions of the model, and the ensemble."""
    repository = folder / "models"
    (repository / MODEL).mkdir(parents=True)
    (repository / MODEL / "config.pbtxt").write_text(CONFIG, encoding="utf-8")
    (repository / ENSEMBLE / "1").mkdir(parents=True)
    (repository / ENSEMBLE / "config.pbtxt").write_text(ENSEMBLE_CONFIG, encoding="utf-8")
    for version in range(1, versions + 1):
        add_version(repository, version)
    return repository


def add_version(repository: Path, version: int) -> Path:
    """Make a sound version with its sample."""
    folder = repository / MODEL / str(version)
    folder.mkdir()
    save(folder, version)
    inputs = {"AUDIO": AUDIO, "LANGUAGE": np.array(["en"])}
    run = open_graph(folder / "model.onnx")
    checks = {"TEXT": EQUAL, "HEARD": EQUAL, "MEAN_LOGPROB": Check("near", (1e-4,))}

    def heard(given: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return {name: array.astype(np.str_) if array.dtype == object else array for name, array in run(given).items()}

    record_sample(folder, heard, inputs, checks)
    return folder


def save(folder: Path, version: int, *, offset: float = 0.0, outputs: int = 1, buffer: int = 1) -> None:
    """Write the graph. `offset`: to the logarithm's 1; `outputs`: of MEAN_LOGPROB; `buffer`: elements that it holds."""
    constants = {
        "text": np.array([f"version {version}"], np.object_),
        "no_speech": np.array([0.25], np.float32),
        "one": np.array([1.0 + offset], np.float32),
        "length": np.array([buffer], np.int64),
        "copies": np.array([outputs], np.int64),
    }
    nodes = [
        helper.make_node("Identity", ["text"], ["TEXT"]),
        helper.make_node("Identity", ["LANGUAGE"], ["HEARD"]),
        helper.make_node("Identity", ["no_speech"], ["NO_SPEECH_PROBABILITY"]),
        helper.make_node("Abs", ["AUDIO"], ["loud"]),
        helper.make_node("ReduceMean", ["loud"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["one", "mean"], ["quiet"]),
        helper.make_node("Log", ["quiet"], ["sure"]),
        helper.make_node("ConstantOfShape", ["length"], ["buffer"]),
        helper.make_node("ReduceMax", ["buffer"], ["most"], axes=[0], keepdims=1),
        helper.make_node("Add", ["sure", "most"], ["each"]),
        helper.make_node("Tile", ["each", "copies"], ["MEAN_LOGPROB"]),
    ]
    text, number = TensorProto.STRING, TensorProto.FLOAT
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("AUDIO", number, ["n"]), value("LANGUAGE", text, [1])],
        [
            value("TEXT", text, [1]),
            value("HEARD", text, [1]),
            value("NO_SPEECH_PROBABILITY", number, [1]),
            value("MEAN_LOGPROB", number, [outputs]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, folder / "model.onnx")


def _bad_graph(folder: Path, version: int) -> None:
    (folder / "model.onnx").write_bytes(b"not a graph")


BROKEN: Mapping[str, Callable[[Path, int], None]] = {
    "bad graph": _bad_graph,
    "wrong shape": lambda folder, version: save(folder, version, outputs=2),
    "NaN": lambda folder, version: save(folder, version, offset=-1.0),
    "out of memory": lambda folder, version: save(folder, version, buffer=TERABYTES),
    "another answer": lambda folder, version: save(folder, version + 100),
}
"""Ways to spoil a version whose sample was recorded while it was sound."""


def break_version(repository: Path, version: int, how: str) -> None:
    """Add a version and spoil it."""
    BROKEN[how](add_version(repository, version), version)


def heard_by(connection: TritonConnection, model: str) -> Callable[[], str]:
    """Return a call of the model that tells which version answered; any other text is an error."""
    sound = {"version 1", "version 2", "version 3"}

    def call() -> str:
        inputs = unary_inputs({"AUDIO": AUDIO, "LANGUAGE": np.array([b"en"], np.object_)})
        result = connection.infer(model, inputs, timeout_s=60.0)
        text = str(result.as_numpy("TEXT")[0].decode())
        if text not in sound or not np.isfinite(result.as_numpy("MEAN_LOGPROB")).all():
            raise ContractViolation(model, f"it heard {text}")
        return text

    return call
