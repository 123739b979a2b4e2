"""What a precision of a bundle does: it converts graph after graph, each by the role that it plays."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from export.bundle.graph import Role
from export.errors import UnknownName

BUNDLE_PRECISIONS: Mapping[str, str] = {
    "fp32": "export.bundle.fp32",
}
"""Name -> module whose `BUNDLE_PRECISION` is an instance of BundlePrecision."""


class BundlePrecision(ABC):
    """One choice of number formats for the graphs of a bundle. Stateless."""

    name: ClassVar[str]
    """As in metadata_props `polylip.precision`."""

    def check_available(self) -> None:
        """Raise PrecisionUnavailable when this machine cannot make or check it. Called before any work."""
        return

    @abstractmethod
    def convert(self, role: Role, source: Path, target: Path) -> None:
        """Write the graph in this precision to `target`; `source` is fp32, has passed the fp32 gate and stays.

        Weights beyond 2 GB go to `<target>.data`, as `export.bundle.onnx_files.save` does.
        Raises ExportError. The exporter writes the metadata into the file afterwards.
        """

    @abstractmethod
    def formats(self) -> Mapping[Role, str]:
        """Say for the manifest what each role is stored and computed in."""


def bundle_precision(name: str) -> BundlePrecision:
    """Import the precision of that name; UnknownName lists those there are."""
    if name not in BUNDLE_PRECISIONS:
        raise UnknownName("precision", name, list(BUNDLE_PRECISIONS))
    found: BundlePrecision = import_module(BUNDLE_PRECISIONS[name]).BUNDLE_PRECISION
    return found
