"""The tensors of a graph: names, types and sizes, as the family promises them and as config.pbtxt repeats them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from client.config_file import ConfigFile
from export.errors import SignatureMismatch

if TYPE_CHECKING:
    import onnx

Tensors = Mapping[str, NDArray[Any]]
"""Inputs or outputs of one run by name; the first axis of each counts the items of the batch."""

_NUMPY = {"UINT8": np.uint8, "INT32": np.int32, "INT64": np.int64, "FP16": np.float16, "FP32": np.float32}
"""Triton's name of a type (without TYPE_) -> numpy's: the types that our graphs have at their border."""


@dataclass(frozen=True)
class Tensor:
    """One input or output of a graph."""

    name: str
    data_type: str
    """Triton's name without TYPE_: UINT8, FP32 ..."""
    dims: tuple[int | str, ...]
    """Without the batch axis, as in config.pbtxt; a name stands for a size that may vary (there: -1)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type."""
        return np.dtype(_NUMPY[self.data_type])

    @property
    def triton_dims(self) -> tuple[int, ...]:
        """The dims as config.pbtxt writes them."""
        return tuple(size if isinstance(size, int) else -1 for size in self.dims)

    def __str__(self) -> str:
        return f"{self.name} {self.data_type} [{', '.join(map(str, self.dims))}]"


@dataclass(frozen=True)
class Signature:
    """The tensors of one graph, in the graph's order. Every tensor has the dynamic batch axis `batch` first."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def as_json(self) -> dict[str, list[dict[str, object]]]:
        """For the manifest."""
        return {
            kind: [{"name": each.name, "data_type": each.data_type, "dims": list(each.dims)} for each in tensors]
            for kind, tensors in (("inputs", self.inputs), ("outputs", self.outputs))
        }


def check_arrays(arrays: Tensors, promised: Sequence[Tensor], what: str) -> None:
    """Hold arrays (batch axis first) against the tensors promised; SignatureMismatch says what does not fit.

    A name in the dims must have one size in all tensors of the call.
    """
    sizes: dict[str, int] = {}
    for tensor in promised:
        array = arrays.get(tensor.name)
        if array is None:
            raise SignatureMismatch(f"{what}: {tensor.name} is missing; there are {', '.join(arrays) or 'none'}")
        expected = ("batch", *tensor.dims)
        fits = array.dtype == tensor.dtype and array.ndim == len(expected)
        for size, want in zip(array.shape, expected, strict=False):
            fits &= size == (sizes.setdefault(want, size) if isinstance(want, str) else want)
        if not fits:
            raise SignatureMismatch(f"{what}: expected {tensor}, got {array.dtype} {list(array.shape)}")


def check_graph(path: Path, signature: Signature) -> None:
    """Hold an ONNX file against the signature: names in order, types, sizes, the dynamic batch axis."""
    import onnx  # the rest of this module does without the extra

    graph = onnx.load(path, load_external_data=False).graph
    for kind, found, promised in (
        ("inputs", graph.input, signature.inputs),
        ("outputs", graph.output, signature.outputs),
    ):
        have = [facts_of(value) for value in found]
        want = [(each.name, each.dtype, (-1, *each.triton_dims)) for each in promised]
        if have != want:
            raise SignatureMismatch(f"the graph's {kind} are {listed(have)}; the family promises {listed(want)}")


def check_config(config: ConfigFile, signature: Signature) -> None:
    """Hold a config.pbtxt against the signature: it must name exactly these tensors, and batch them."""
    if config.max_batch_size < 1:
        raise SignatureMismatch(f"{config.name}: config.pbtxt must set max_batch_size, the graph has a batch axis")
    for kind, found, promised in (
        ("inputs", config.inputs, signature.inputs),
        ("outputs", config.outputs, signature.outputs),
    ):
        have = {(each.name, each.data_type, each.dims) for each in found}
        want = {(each.name, each.data_type, each.triton_dims) for each in promised}
        if have != want:
            text = f"{config.name}: config.pbtxt's {kind} are {listed(sorted(have))}; "
            raise SignatureMismatch(f"{text}the graph has {listed(sorted(want))}")


def facts_of(value: "onnx.ValueInfoProto") -> tuple[str, np.dtype[Any], tuple[int, ...]]:
    """Return name, type and sizes of a graph's input or output; -1 for a size that varies."""
    from onnx.helper import tensor_dtype_to_np_dtype

    tensor = value.type.tensor_type
    sizes = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
    return value.name, tensor_dtype_to_np_dtype(tensor.elem_type), sizes


def listed(tensors: Sequence[tuple[str, object, tuple[int, ...]]]) -> str:
    """Name tensors for an error."""
    return ", ".join(f"{name} {data_type} {list(dims)}" for name, data_type, dims in tensors) or "none"
