"""fp32: every graph as it was traced."""

from collections.abc import Mapping
from pathlib import Path

from export.bundle.graph import Role
from export.bundle.onnx_files import copy
from export.bundle.precision import BundlePrecision


class Fp32(BundlePrecision):
    """Single precision."""

    name = "fp32"

    def convert(self, role: Role, source: Path, target: Path) -> None:
        """Copy the checked graph."""
        copy(source, target)

    def formats(self) -> Mapping[Role, str]:
        """Return what is stored and computed."""
        return {"encoder": "fp32", "decoder": "fp32", "embed": "fp32"}


BUNDLE_PRECISION = Fp32()
