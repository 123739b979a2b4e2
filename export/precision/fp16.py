"""fp16: weights and activations in half precision, inputs and outputs as they were. Meant for GPUs."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
from onnxruntime.transformers import float16

from export.parity import Runner
from export.precision.base import Job, Precision
from export.runtime import CPU, open_graph

_KEPT = ("ReduceSum", "ReduceSumSquare", "ReduceL2", "Pow", "Sqrt", "Reciprocal", "Softmax", "Exp", "Floor", "Clip")
"""Operators that stay in fp32 besides those that have no half precision: sums of squares pass 65504, and the last
rounding to a byte must not follow one to 11 bits."""


class Fp16(Precision):
    """Half precision; layers whose numbers do not fit stay in single."""

    name = "fp16"

    def build(self, job: Job) -> None:
        """Convert the graph's weights and operators."""
        with warnings.catch_warnings():
            # Weights nearer to 0 than 1e-7 become 1e-7; the converter warns of each tensor that has one.
            warnings.filterwarnings("ignore", message="the float32 number .* will be truncated", category=UserWarning)
            model = float16.convert_float_to_float16(
                onnx.load(job.source), keep_io_types=True, op_block_list=[*float16.DEFAULT_OP_BLOCK_LIST, *_KEPT]
            )
        onnx.save(model, job.folder / "model.onnx")

    def open(self, folder: Path) -> Runner:
        """ONNX Runtime's CPU provider, which rounds what it stores to half precision where a GPU does."""
        return open_graph(folder / "model.onnx")

    def execution(self) -> Mapping[str, str]:
        """Return the provider."""
        return {"provider": CPU}


PRECISION = Fp16()
