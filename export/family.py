"""What a model family tells the exporter about itself; the registry names the families without importing torch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from client.sample import Check
from export.errors import UnknownName
from export.parity import Figure, Limit, tensor_figures
from export.signature import Signature, Tensor, Tensors

if TYPE_CHECKING:
    import torch
    from torch import nn

FAMILIES: Mapping[str, str] = {
    "wav2lip": "export.wav2lip.family",
    "s3fd": "export.s3fd.family",
}
"""Name -> module whose `FAMILY` is an instance of Family."""


_REDUCED = "fp16"
_SAMPLE_SEED = 7


class Family(ABC):
    """One network with published weights, and how Triton serves it. Stateless: one instance serves every export."""

    name: ClassVar[str]
    triton_model: ClassVar[str]
    """Folder in the model repository."""
    licence: ClassVar[str]
    """Of the published weights; one sentence, goes into every manifest."""
    source: ClassVar[str]
    """Paper and repository that the published weights come from."""
    published_files: ClassVar[tuple[str, ...]]
    """Names of the files that users download."""
    precisions: ClassVar[tuple[str, ...]]
    """Names in export.precision.PRECISIONS that this family may be exported in."""
    signature: ClassVar[Signature]
    """Of the served graph."""
    probes: ClassVar[tuple[Tensor, ...]] = ()
    """Further outputs of `graph`, in order after the signature's: floats before they are quantised, so that the fp32
    gate can compare them. The served file does not have them."""
    batch_sizes: ClassVar[tuple[int, ...]] = (1, 2, 5)
    """Batches that the gate compares; each is also compared with its items alone."""
    reduced_width: ClassVar[float]
    """Width factor of `--width reduced`: small enough for tests."""

    @abstractmethod
    def synth(self, seed: int, width: float) -> dict[str, object]:
        """Make random weights in the published format: what torch.save shall write.

        Same keys, types and nesting as the published file; at width 1 the same shapes. The weights are scaled so that
        activations neither die nor explode, so parity on them means something. Same seed, same weights.
        """

    @abstractmethod
    def load(self, state: "Mapping[str, torch.Tensor]") -> "nn.Module":
        """Build the network that fits the tensors' widths, load them strictly, switch to eval.

        `state` comes from `export.checkpoint.read_checkpoint`: unwrapped, without "module.".
        Raises KeysMismatch (use `export.checkpoint.load_strict`).
        """

    @abstractmethod
    def graph(self, module: "nn.Module") -> "nn.Module":
        """Wrap the network with its folded pre- and post-processing.

        `forward` takes the signature's inputs in order (batch axis first) and returns a tuple: the signature's outputs
        in order, then the probes in order.
        """

    @abstractmethod
    def samples(self, rng: np.random.Generator, batch: int) -> Tensors:
        """Draw `batch` random inputs by name, of types and ranges as they occur."""

    @abstractmethod
    def reference(self, module: "nn.Module", inputs: Tensors) -> Tensors:
        """Compute outputs and probes by name in fp32 PyTorch, pre- and post-processed the way the published code does.

        Not by way of `graph`: the gate shall also find mistakes in what was folded in.
        """

    @abstractmethod
    def limits(self, precision: str) -> Mapping[str, Limit]:
        """Return the gate's limits by name of output or probe. Probes exist in fp32 only."""

    def figures(self, precision: str, expected: Tensors, got: Tensors, alone: Tensors) -> Sequence[Figure]:
        """Compare one batch for the gate; always the same figures in the same order.

        `expected` comes from `reference`, `got` from the candidate, `alone` likewise item by item. A family whose
        outputs mean more than their values compares them otherwise; the names in `limits` are then its own.
        """
        return tensor_figures(self.limits(precision), expected, got, alone)

    def sample_inputs(self) -> Tensors:
        """Return what a version's recorded sample asks: one item, the same for every export."""
        return {name: array[-1:] for name, array in self.samples(np.random.default_rng(_SAMPLE_SEED), 2).items()}

    def sample_checks(self) -> Mapping[str, Check]:
        """Return how far an output may be from the recorded sample: as far as a reduced precision may.

        Also for fp32: what is recorded on this machine is asked on another, and GPUs compute fp32 products in TF32.
        """
        limits = self.limits(_REDUCED)
        return {each.name: Check("near", (limits[each.name].max_abs,)) for each in self.signature.outputs}

    def dynamic_axes(self) -> dict[str, dict[int, str]]:
        """Return the axes that vary, by input name: {"FACES": {0: "batch"}}, read from the signature."""
        return {
            tensor.name: {0: "batch"}
            | {axis: size for axis, size in enumerate(tensor.dims, 1) if isinstance(size, str)}
            for tensor in self.signature.inputs
        }

    def trace_inputs(self) -> Tensors:
        """Return the example inputs that the exporter traces with: two items, so that no axis of 1 is specialised."""
        return self.samples(np.random.default_rng(0), 2)


def family(name: str) -> Family:
    """Import the family of that name; UnknownName lists those there are."""
    if name not in FAMILIES:
        from export.bundle.family import BUNDLES  # the other kind, for the error's sake

        raise UnknownName("model family", name, sorted([*FAMILIES, *BUNDLES]))
    found: Family = import_module(FAMILIES[name]).FAMILY
    return found


def check_offered(family: Family, precision: str) -> None:
    """Refuse a precision that the family does not offer (UnknownName)."""
    offered: Sequence[str] = family.precisions
    if precision not in offered:
        raise UnknownName(f"precision of {family.name}", precision, offered)
