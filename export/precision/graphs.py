"""Number formats for the graphs of a bundle (encoder.onnx, decoder.onnx and so on), chosen by each graph's role.

`fp32` and `int8` are the names a user gives; what `int8` means for a graph depends on its role, because time goes into
different things: an encoder multiplies long matrices once, a decoder reads all of its weights for every token.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from export.errors import UnknownName
from export.parity import Runner
from export.precision.matmuls import dynamic_int8, weights_int8
from export.runtime import open_graph

Writer = Callable[[Path, Path], Mapping[str, str]]
"""Makes the second file of the first; says for the manifest what it did."""


def _fp32(source: Path, target: Path) -> Mapping[str, str]:
    shutil.copyfile(source, target)
    return {"weights": "fp32", "activations": "fp32"}


FORMATS: Mapping[str, Mapping[str, Writer]] = {
    "fp32": {},
    "int8": {"encoder": dynamic_int8, "decoder": weights_int8},
}
"""Precision -> role -> how; a role that is not named stays fp32 (`reorder`, `embed`)."""


def write_graph(source: Path, target: Path, role: str, precision: str) -> Mapping[str, str]:
    """Write the fp32 graph `source`, checked before, as `target` in the format of its role.

    `role` is the file's name without ".onnx": encoder, decoder, embed, reorder. Names, types and shapes of inputs and
    outputs stay. Returns what the manifest shall say about it: {"weights": ..., "activations": ...}.
    UnknownName for a precision that FORMATS does not have.
    """
    if precision not in FORMATS:
        raise UnknownName("precision", precision, list(FORMATS))
    return FORMATS[precision].get(role, _fp32)(source, target)


def open_written(path: Path) -> Runner:
    """Load what `write_graph` wrote the way that the embedded server does, for the gate."""
    return open_graph(path)
