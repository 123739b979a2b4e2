"""Number formats for the graphs of a bundle (encoder.onnx, decoder.onnx and so on), chosen by each graph's role.

`fp32` and `int8` are the names a user gives; what `int8` means for a graph depends on where its time goes:

* an encoder of sound multiplies matrices of 1500 rows, once a request: int8 products whose inputs are rounded with one
  scale a tensor, the fastest there is. Sounds must be encoded one by one, else they would share that scale; they gain
  nothing by company;
* a decoder reads all of its weights for every token, for rows of several requests: 8-bit weights, rows rounded each by
  itself;
* an encoder of text has few rows, and texts are encoded together: as a decoder.

Speed of each choice: docs/EXPORT.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

from export.bundle import onnx_files
from export.errors import UnknownName
from export.parity import Runner
from export.precision.fusion import fuse
from export.precision.matmuls import BLOCK, dynamic_int8, weights_int8
from export.runtime import open_graph


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
    "int8": {"sound encoder": _LONG, "encoder": _SHORT, "decoder": _SHORT},
}
"""Precision -> what the graph is for -> how; what is not named stays fp32 (`reorder`, `embed`)."""


def write_graph(source: Path, target: Path, role: str, precision: str) -> Mapping[str, str]:
    """Write the fp32 graph `source`, checked before, as `target` in the format of its role.

    `role` is the file's name without ".onnx": encoder, decoder, embed, reorder. Names, types and shapes of inputs and
    outputs stay. Returns what the manifest shall say about it: {"weights": ..., "activations": ...}.
    UnknownName for a precision that FORMATS does not have.
    """
    if precision not in FORMATS:
        raise UnknownName("precision", precision, list(FORMATS))
    chosen = FORMATS[precision].get(_purpose(source, role))
    if chosen is None:
        onnx_files.copy(source, target)
        return _FP32
    model = fuse(source)
    chosen.convert(model)
    onnx_files.save(model, target)
    return {"weights": chosen.weights, "activations": chosen.activations}


def open_written(path: Path) -> Runner:
    """Load what `write_graph` wrote the way that the embedded server does, for the gate."""
    return open_graph(path)


def _purpose(source: Path, role: str) -> str:
    """Tell encoders of sound, which read floats, from those of text, which read token ids."""
    inputs = onnx.load(source, load_external_data=False).graph.input
    reads_tokens = any(each.type.tensor_type.elem_type == onnx.TensorProto.INT64 for each in inputs)
    return "sound encoder" if role == "encoder" and not reads_tokens else role
