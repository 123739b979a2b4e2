"""What a precision does."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from export.family import Family
from export.parity import Runner


@dataclass(frozen=True)
class Job:
    """One version to build."""

    source: Path
    """The fp32 graph as ONNX, without probes; it has passed the fp32 gate."""
    folder: Path
    """Where the files of the version go; empty at first, becomes model_repository/<model>/<version>."""
    family: Family
    seed: int
    """For what the precision draws (calibration); not the gate's."""


class Precision(ABC):
    """One number format. Stateless."""

    name: ClassVar[str]
    """As in metadata_props `polylip.precision`."""

    def check_available(self) -> None:
        """Raise PrecisionUnavailable when this machine cannot make or check this precision. Called before any work."""
        return

    @abstractmethod
    def build(self, job: Job) -> None:
        """Write the files of the version into job.folder. An ONNX graph is called model.onnx.

        The exporter writes the metadata (polylip.precision and so on) into every *.onnx file afterwards.
        """

    @abstractmethod
    def open(self, folder: Path) -> Runner:
        """Load the version's files the way Triton will serve them (provider and options), for the gate."""

    @abstractmethod
    def execution(self) -> Mapping[str, str]:
        """Return how `open` runs the files, for the manifest: provider, its options, versions of further tools."""
