"""What a family of several graphs tells the exporter about itself; the registry names the families without torch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from export.errors import ExportError, UnknownName
from export.parity import Runner

if TYPE_CHECKING:
    from torch import nn

    from export.bundle.graph import Graph
    from export.bundle.measure import GateRecord
    from export.bundle.published import Published

BUNDLES: Mapping[str, str] = {
    "whisper": "export.whisper.family",
    "marian": "export.marian.family",
    "xtts": "export.xtts.family",
}
"""Name -> module whose `FAMILY` is an instance of BundleFamily."""

Progress = Callable[[str], None]
"""Told what is done next, in a few words."""


class BundleFamily(ABC):
    """Published checkpoints of one architecture, and the files that the `generate` backend serves them from.

    Stateless: one instance serves every export.
    """

    name: ClassVar[str]
    licence: ClassVar[str]
    """Of the published weights; one sentence, goes into every manifest."""
    source: ClassVar[str]
    """Paper and repository that the published weights come from."""
    published_files: ClassVar[tuple[str, ...]]
    """What users download: names of folders or files."""
    precisions: ClassVar[tuple[str, ...]]
    """Names in export.precision.graphs.FORMATS that this family may be exported in."""
    sizes: ClassVar[tuple[str, ...]]
    """Sizes that `synth` makes; the first is `--width full`, one is called "reduced"."""
    cache_grows: ClassVar[bool] = True
    """Whether every step of the decoder gives longer keys and values, so that picking rows takes a graph of its own
    (`reorder`). Else they lie in buffers of fixed size, each row in its place."""

    @abstractmethod
    def read(self, path: Path) -> "Published":
        """Read a published folder or file (`export.bundle.published`); raise CheckpointRefused, NotFinite."""

    def stated(self, published: "Published", pairs: Sequence[str]) -> "Published":
        """Take over the language pairs that the user states ("en-es"), where a checkpoint has languages to be told."""
        if pairs:
            raise ExportError(f"{self.name} takes no language pair")
        return published

    @abstractmethod
    def triton_model(self, published: "Published") -> str:
        """Return the folder in the model repository that this checkpoint's versions go to."""

    @abstractmethod
    def load(self, published: "Published") -> "nn.Module":
        """Build the family's own network for the checkpoint's sizes, load it strictly, switch to eval.

        Raises KeysMismatch (use `export.checkpoint.load_strict`), CheckpointRefused (settings that do not fit).
        """

    @abstractmethod
    def graphs(self, module: "nn.Module") -> "Sequence[Graph]":
        """Return what is written; `reorder` is not among them, the exporter makes it where the cache grows."""

    @abstractmethod
    def write_files(self, published: "Published", folder: Path) -> None:
        """Write what lies beside the graphs: generation.json and the tokenizer's files.

        Raises CheckpointRefused: a tokenizer file is missing, or the vocabulary does not match the weights.
        """

    @abstractmethod
    def gate(
        self,
        published: "Published",
        run: Mapping[str, Runner],
        folder: Path,
        precision: str,
        seed: int,
        progress: Progress,
    ) -> "GateRecord":
        """Compare the graphs with the reference library's model, loaded anew from the published files.

        `run` has the graphs by role, in plain ONNX Runtime; `folder` has the files beside them. Raises ParityMissed
        (`export.bundle.measure.check_measures`), NotFinite.
        """

    def config(self, published: "Published") -> str | None:
        """Return the config.pbtxt of a model that the repository does not have yet; None: it comes with the project."""
        return None

    @abstractmethod
    def synth(self, out: Path, seed: int, size: str) -> None:
        """Write random weights in the published format: a folder, or a file where the family has such.

        `out` does not exist. Same seed, same weights. Raises ValueError for a size that is not in `sizes`.
        """


def bundle(name: str) -> BundleFamily:
    """Import the family of that name; UnknownName lists those there are."""
    if name not in BUNDLES:
        raise UnknownName("model family", name, sorted(BUNDLES))
    found: BundleFamily = import_module(BUNDLES[name]).FAMILY
    return found


def check_offered(family: BundleFamily, precision: str) -> None:
    """Refuse a precision that the family does not offer (UnknownName)."""
    offered: Sequence[str] = family.precisions
    if precision not in offered:
        raise UnknownName(f"precision of {family.name}", precision, offered)
