"""Number formats for the graphs of a bundle (encoder.onnx, decoder.onnx and so on), chosen by each graph's role.

`fp32`, `bf16` and `int8` are the names a user gives; what `int8` means for a graph depends on where its time goes:

* an encoder of sound multiplies matrices of 1500 rows, once a request: int8 products whose inputs are rounded with one
  scale a tensor, the fastest there is. Sounds must be encoded one by one, else they would share that scale; they gain
  nothing by company;
* a decoder reads all of its weights for every token, for rows of several requests: 8-bit weights, rows rounded each by
  itself;
* an encoder of text has few rows, and texts are encoded together: as a decoder;
* a vocoder is convolutions, which OpenVINO computes fastest, in bfloat16 on processors that multiply it: the file stays
  as it is and says so. That is all that `bf16` means, too.

Speed of each choice: docs/EXPORT.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

from deploy.triton.engine_kit.ort_options import OpenVino, arithmetic
from export.bundle import onnx_files
from export.errors import UnknownName
from export.manifest import PRECISION_KEY
from export.onnx_file import add_metadata, read_metadata
from export.precision import bf16
from export.precision.fusion import fuse
from export.precision.int8 import FLOAT_LAYERS_KEY
from export.precision.matmuls import BLOCK, dynamic_int8, weights_int8
from export.precision.openvino import CPUINFO, execution_of, open_openvino, processor_has_bf16
from export.runtime import OpenGraph, open_graph


@dataclass(frozen=True)
class _Format:
    convert: Callable[[onnx.ModelProto], None]
    """Rewrites a fused graph."""
    weights: str
    activations: str


_FP32 = {"weights": "fp32", "activations": "fp32"}
_LONG = _Format(dynamic_int8, "int8 per column", "uint8 per tensor in products, found at run time; else fp32")
_SHORT = _Format(
    weights_int8, f"int8 in blocks of {BLOCK}", f"int8 in blocks of {BLOCK} of a row inside products; else fp32"
)

FORMATS: Mapping[str, Mapping[str, _Format]] = {
    "fp32": {},
    "bf16": {},
    "int8": {"sound encoder": _LONG, "encoder": _SHORT, "decoder": _SHORT},
}
"""Precision -> what the graph is for -> how; what is not named stays fp32 (`reorder`, `embed`)."""

ACCELERATED = ("vocoder",)
"""Roles that the embedded server runs with OpenVINO, where the model's config.pbtxt asks for it."""


def check_available(precision: str) -> None:
    """Raise PrecisionUnavailable when this machine cannot check this precision."""
    if precision == bf16.PRECISION.name:
        bf16.PRECISION.check_available()


def write_graph(source: Path, target: Path, role: str, precision: str) -> Mapping[str, str]:
    """Write the fp32 graph `source`, checked before, as `target` in the format of its role.

    `role` is the file's name without ".onnx": encoder, decoder, embed, reorder ... Names, types and shapes of inputs
    and outputs stay. Returns what the manifest shall say about it: {"weights": ..., "activations": ...}.
    UnknownName for a precision that FORMATS does not have.
    """
    if precision not in FORMATS:
        raise UnknownName("precision", precision, list(FORMATS))
    if role in ACCELERATED:
        return _write_accelerated(source, target, precision)
    chosen = FORMATS[precision].get(_purpose(source, role))
    if chosen is None:
        onnx_files.copy(source, target)
        return _FP32
    model = fuse(source)
    chosen.convert(model)
    onnx_files.save(model, target)
    return {"weights": chosen.weights, "activations": chosen.activations}


def open_written(path: Path) -> OpenGraph:
    """Load what `write_graph` wrote the way that the embedded server does, for the gate."""
    if path.stem in ACCELERATED:
        return open_openvino(path, _hint(path))
    return open_graph(path)


def _write_accelerated(source: Path, target: Path, precision: str) -> Mapping[str, str]:
    """Copy the graph, and say in its metadata what it is computed in (the exporter writes it again, with more)."""
    onnx_files.copy(source, target)
    marks = {PRECISION_KEY: precision}
    if precision == "int8":
        marks[FLOAT_LAYERS_KEY] = "bf16" if processor_has_bf16() else "fp32"
    add_metadata(target, marks)
    hint = _hint(target)
    return {"weights": "fp32", "activations": "bf16" if hint == "bf16" else "fp32", **execution_of(hint)}


def _hint(path: Path) -> str:
    return arithmetic(OpenVino("BF16"), read_metadata(path), CPUINFO.read_text(encoding="utf-8")).hint


def _purpose(source: Path, role: str) -> str:
    """Tell encoders of sound, which read floats, from those of text, which read token ids."""
    inputs = onnx.load(source, load_external_data=False).graph.input
    reads_tokens = any(each.type.tensor_type.elem_type == onnx.TensorProto.INT64 for each in inputs)
    return "sound encoder" if role == "encoder" and not reads_tokens else role
