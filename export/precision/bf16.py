"""bf16: the fp32 graph, marked as checked in bfloat16; OpenVINO rounds weights and activations when it serves it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from export.errors import PrecisionUnavailable
from export.parity import Runner
from export.precision.base import Job, Precision
from export.precision.openvino import execution_of, open_openvino, processor_has_bf16


class Bf16(Precision):
    """bfloat16 on processors that multiply it. Everywhere else the same file is served in fp32.

    The mark is `polylip.precision` in the graph's metadata, which the embedded server reads. Triton's own onnxruntime
    backend knows no such mark and computes in fp32.
    """

    name = "bf16"

    def check_available(self) -> None:
        """Ask for avx512_bf16 or amx_bf16: elsewhere the gate would pass without having seen a rounded number."""
        if not processor_has_bf16():
            raise PrecisionUnavailable(
                "this processor has no bfloat16 arithmetic (avx512_bf16 or amx_bf16), so a bf16 version cannot be "
                "checked here: export fp32, or export on a processor that has it"
            )

    def build(self, job: Job) -> None:
        """Copy the checked graph."""
        shutil.copyfile(job.source, job.folder / "model.onnx")

    def open(self, folder: Path) -> Runner:
        """OpenVINO, told to compute in bfloat16."""
        return open_openvino(folder / "model.onnx", "bf16")

    def execution(self) -> Mapping[str, str]:
        """Return provider and hint."""
        return execution_of("bf16")


PRECISION = Bf16()
