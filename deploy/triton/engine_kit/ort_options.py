"""Reads a model's config.pbtxt as Triton's native onnxruntime backend does, for our backends that run ONNX graphs.
Needs nothing but the standard library.

Keys and values: README.md of triton-inference-server/onnxruntime_backend. What that backend offers and this one does
not is refused when the model loads, never ignored: implicit state, batch_input and batch_output.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .processor import bf16_supported

T = TypeVar("T")
_GRAPH_LEVELS = {-1: "ORT_ENABLE_BASIC", 0: "ORT_ENABLE_ALL", 1: "ORT_ENABLE_EXTENDED", 2: "ORT_DISABLE_ALL"}
_EXECUTION_MODES = {"0": "ORT_SEQUENTIAL", "1": "ORT_PARALLEL"}
_SWITCHES = {"1": True, "true": True, "0": False, "false": False}
_PRECISIONS = ("FP32", "BF16")
_PRECISION_KEY = "polylip.precision"
_FLOAT_LAYERS_KEY = "polylip.float_layers"


class BadConfig(ValueError):
    """The config.pbtxt asks for something that cannot be; the message says what."""


@dataclass(frozen=True)
class OpenVino:
    """The `openvino` block of `cpu_execution_accelerator`."""

    precision: str
    """FP32, or BF16: allowed for versions exported as bf16. Ours: the native backend ignores it."""


@dataclass(frozen=True)
class Options:
    """How the session is made; the names are ONNX Runtime's."""

    file_name: str
    graph_optimization_level: str
    execution_mode: str
    intra_op_num_threads: int
    """0: ONNX Runtime chooses, one a core."""
    inter_op_num_threads: int
    enable_cpu_mem_arena: bool | None
    """None: ONNX Runtime's default."""
    enable_mem_pattern: bool | None
    device_allocator_for_initializers: str | None
    arena_shrinkage: str | None
    """Run option: devices whose arena gives memory back after each run ("cpu:0")."""
    custom_op_libraries: tuple[str, ...]
    openvino: OpenVino | None
    allow_spinning: bool | None = None
    """Threads that wait for work keep their core busy for a while. Ours: the native backend ignores it."""


def read_options(config: Mapping[str, Any]) -> Options:
    """Read the model configuration (JSON form); BadConfig names what cannot be."""
    _refuse_unsupported(config)
    parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
    optimization = config.get("optimization", {})
    return Options(
        file_name=config.get("default_model_filename") or "model.onnx",
        graph_optimization_level=_graph_level(optimization),
        execution_mode=_choice(parameters, "execution_mode", _EXECUTION_MODES) or "ORT_SEQUENTIAL",
        intra_op_num_threads=_count(parameters, "intra_op_thread_count"),
        inter_op_num_threads=_count(parameters, "inter_op_thread_count"),
        enable_cpu_mem_arena=_choice(parameters, "enable_mem_arena", _SWITCHES),
        enable_mem_pattern=_choice(parameters, "enable_mem_pattern", _SWITCHES),
        device_allocator_for_initializers=parameters.get("session.use_device_allocator_for_initializers"),
        arena_shrinkage=parameters.get("memory.enable_memory_arena_shrinkage"),
        custom_op_libraries=tuple(config.get("model_operations", {}).get("op_library_filename", [])),
        openvino=_openvino(optimization),
        allow_spinning=_choice(parameters, "session.intra_op.allow_spinning", _SWITCHES),
    )


def model_path(repository: str, version: str, options: Options) -> Path:
    """Return the ONNX file of a version: `<version>/<file>`, or `<version>/<file>/model.onnx` when that is a folder."""
    path = Path(repository) / version / options.file_name
    if path.is_dir():
        path = path / "model.onnx"
    if not path.is_file():
        raise BadConfig(f"unable to find {path}")
    return path


@dataclass(frozen=True)
class Arithmetic:
    """What OpenVINO computes float layers in, and why."""

    hint: str
    """OpenVINO's INFERENCE_PRECISION_HINT: f32 or bf16."""
    reason: str
    """For the log."""


def arithmetic(openvino: OpenVino, metadata: Mapping[str, str], cpuinfo: str) -> Arithmetic:
    """Choose the arithmetic of one version: bf16 only if config, version and processor all have it.

    `metadata` is the graph's own (metadata_props): the exporter writes `polylip.precision` there, the precision that
    the version was checked in; an int8 version says in `polylip.float_layers` what its other layers were checked in.
    """
    made_for = metadata.get(_PRECISION_KEY, "")
    if made_for == "int8":
        made_for = f"int8 with {metadata.get(_FLOAT_LAYERS_KEY, 'fp32')}"
    said = f"the version was exported as {made_for}" if made_for else "the version does not say what it was exported as"
    if openvino.precision != "BF16":
        return Arithmetic("f32", f"{said}, the config asks for FP32")
    if not made_for.endswith("bf16"):
        return Arithmetic("f32", said)
    if not bf16_supported(cpuinfo):
        return Arithmetic("f32", f"{said}, but this processor has no bfloat16 arithmetic")
    return Arithmetic("bf16", said)


def _refuse_unsupported(config: Mapping[str, Any]) -> None:
    asked = [name for name in ("batch_input", "batch_output") if config.get(name)]
    asked += ["state"] if config.get("sequence_batching", {}).get("state") else []
    if asked:
        raise BadConfig(f"the embedded server does not know {', '.join(asked)}; Triton's own onnxruntime backend does")


def _graph_level(optimization: Mapping[str, Any]) -> str:
    level = int(optimization.get("graph", {}).get("level", 0))
    if level not in _GRAPH_LEVELS:
        raise BadConfig(f"graph level {level} is none of {sorted(_GRAPH_LEVELS)}")
    return _GRAPH_LEVELS[level]


def _openvino(optimization: Mapping[str, Any]) -> OpenVino | None:
    found = None
    for accelerator in optimization.get("execution_accelerators", {}).get("cpu_execution_accelerator", []):
        if accelerator["name"] != "openvino":
            raise BadConfig(f"unknown Execution Accelerator '{accelerator['name']}' is requested")
        precision = accelerator.get("parameters", {}).get("precision", "FP32").upper()
        if precision not in _PRECISIONS:
            raise BadConfig(f"precision {precision} of openvino is none of {', '.join(_PRECISIONS)}")
        found = OpenVino(precision)
    return found


def _count(parameters: Mapping[str, str], key: str) -> int:
    text = parameters.get(key, "0")
    if not text.isdecimal():
        raise BadConfig(f"{key} must be a whole number from 0, it is {text!r}")
    return int(text)


def _choice(parameters: Mapping[str, str], key: str, choices: Mapping[str, T]) -> T | None:
    if key not in parameters:
        return None
    if parameters[key].lower() not in choices:
        raise BadConfig(f"{key} must be one of {', '.join(choices)}, it is {parameters[key]!r}")
    return choices[parameters[key].lower()]
