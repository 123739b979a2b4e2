"""One graph of a bundle: the module to trace, its tensors, and what part it plays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from export.signature import Tensor, Tensors

if TYPE_CHECKING:
    import onnx
    from torch import nn

Role = Literal["encoder", "decoder", "embed", "reorder", "text", "conditioning", "speaker", "vocoder"]
"""What a graph is for; also its file's name. A precision treats graphs by their roles."""

Written = Callable[[], "onnx.ModelProto"]
"""Gives a graph that is written node by node, with its weights."""


@dataclass(frozen=True)
class Graph:
    """What becomes `<role>.onnx`.

    Unlike in `export.signature`, the `dims` of these tensors have every axis: the first one is not always the batch.
    """

    role: Role
    module: "nn.Module | Written"
    """What is traced: in eval; `forward` takes the inputs in order and returns a tuple of the outputs in order. Or what
    gives the file's content, where no tracer writes what is wanted."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    examples: Tensors = field(default_factory=dict)
    """Inputs to trace with, by name; axes that vary have sizes of at least 2 that differ from each other."""
    least: Mapping[str, int] = field(default_factory=dict)
    """Least sizes of varying axes by name, where not 0."""

    @property
    def file_name(self) -> str:
        """Its file in the version's folder."""
        return f"{self.role}.onnx"

    def path(self, folder: Path) -> Path:
        """Its file in that folder."""
        return folder / self.file_name

    def dynamic_axes(self) -> tuple[dict[int, str], ...]:
        """Return the axes that vary, input by input: ({0: "rows", 1: "new"}, ...)."""
        return tuple(
            {axis: size for axis, size in enumerate(tensor.dims) if isinstance(size, str)} for tensor in self.inputs
        )

    def as_json(self) -> dict[str, list[dict[str, object]]]:
        """For the manifest."""
        return {
            kind: [{"name": each.name, "data_type": each.data_type, "dims": list(each.dims)} for each in tensors]
            for kind, tensors in (("inputs", self.inputs), ("outputs", self.outputs))
        }
