"""fp32: the graph as it was traced, on ONNX Runtime's CPU provider."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from export.parity import Runner
from export.precision.base import Job, Precision
from export.runtime import CPU, open_graph


class Fp32(Precision):
    """Single precision."""

    name = "fp32"

    def build(self, job: Job) -> None:
        """Copy the checked graph."""
        shutil.copyfile(job.source, job.folder / "model.onnx")

    def open(self, folder: Path) -> Runner:
        """ONNX Runtime's own CPU kernels."""
        return open_graph(folder / "model.onnx")

    def execution(self) -> Mapping[str, str]:
        """Return the provider."""
        return {"provider": CPU}


PRECISION = Fp32()
