"""The precisions: each turns a checked fp32 ONNX file into the files of a version, and runs them for the gate."""

from collections.abc import Mapping
from importlib import import_module

from export.errors import UnknownName
from export.precision.base import Job, Precision

PRECISIONS: Mapping[str, str] = {
    "fp32": "export.precision.fp32",
    "fp16": "export.precision.fp16",
    "bf16": "export.precision.bf16",
    "int8": "export.precision.int8",
    "tensorrt": "export.precision.tensorrt",
    "tensorrt_fp32": "export.precision.tensorrt_fp32",
}
"""Name -> module whose `PRECISION` is an instance of Precision. Lazy: a precision may need packages of its own."""

__all__ = ["PRECISIONS", "Job", "Precision", "precision"]


def precision(name: str) -> Precision:
    """Import the precision of that name; UnknownName lists those there are."""
    if name not in PRECISIONS:
        raise UnknownName("precision", name, list(PRECISIONS))
    found: Precision = import_module(PRECISIONS[name]).PRECISION
    return found
