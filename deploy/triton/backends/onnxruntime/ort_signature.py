"""Compares what config.pbtxt promises with what the ONNX graph is, and requests with both. Needs nothing but numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine_kit.ort_options import BadConfig
from engine_kit.refusals import InvalidRequest
from numpy.typing import NDArray

# Triton's name of a type -> ONNX Runtime's, as the native backend maps them. Without BF16 at the border of a model:
# a Python backend cannot read such a tensor as an array.
GRAPH_TYPES = {
    "TYPE_BOOL": "tensor(bool)",
    "TYPE_UINT8": "tensor(uint8)",
    "TYPE_UINT16": "tensor(uint16)",
    "TYPE_UINT32": "tensor(uint32)",
    "TYPE_UINT64": "tensor(uint64)",
    "TYPE_INT8": "tensor(int8)",
    "TYPE_INT16": "tensor(int16)",
    "TYPE_INT32": "tensor(int32)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_FP16": "tensor(float16)",
    "TYPE_FP32": "tensor(float)",
    "TYPE_FP64": "tensor(double)",
    "TYPE_STRING": "tensor(string)",
}


class GraphTensor(Protocol):
    """An input or output of an ONNX Runtime session."""

    name: str
    type: str
    shape: Sequence[int | str | None]
    """A string or None is a dimension that may vary; equal strings mean equal sizes."""


@dataclass(frozen=True)
class Signature:
    """The tensors of one model, agreed between config and graph."""

    inputs: tuple[str, ...]
    optional: frozenset[str]
    """Inputs that a request may leave out: the graph has a value for them."""
    outputs: tuple[str, ...]
    batched: bool
    """The first dimension of every tensor counts the items of a batch."""
    symbols: Mapping[str, tuple[int | str | None, ...]]
    """Shape of each input as the graph writes it."""
    types: Mapping[str, str]
    """Triton's type of each tensor."""


def agree(
    config: Mapping[str, Any],
    inputs: Sequence[GraphTensor],
    outputs: Sequence[GraphTensor],
    overridable: Sequence[GraphTensor] = (),
) -> Signature:
    """Check the config against the graph; BadConfig says what does not fit.

    `overridable`: initializers that a request may replace. As with the native backend the config must name every
    input of the graph, and may leave outputs out.
    """
    batched = int(config.get("max_batch_size", 0)) > 0
    declared = list(config.get("input", [])) + _control_inputs(config)
    graph_inputs = {tensor.name: tensor for tensor in (*inputs, *overridable)}
    graph_outputs = {tensor.name: tensor for tensor in outputs}
    for tensor in declared:
        _check(tensor, graph_inputs, "input", batched)
        if tensor.get("allow_ragged_batch"):
            raise BadConfig(f"input '{tensor['name']}': the embedded server does not know allow_ragged_batch")
    for tensor in config.get("output", []):
        _check(tensor, graph_outputs, "output", batched)
    names = tuple(tensor["name"] for tensor in declared)
    missing = [tensor.name for tensor in inputs if tensor.name not in names]
    if missing:
        raise BadConfig(f"the graph also wants the input(s) {', '.join(missing)}, which the config does not name")
    return Signature(
        inputs=names,
        optional=frozenset(tensor.name for tensor in overridable if tensor.name in names),
        outputs=tuple(tensor["name"] for tensor in config.get("output", [])),
        batched=batched,
        symbols={name: tuple(graph_inputs[name].shape) for name in names},
        types={tensor["name"]: tensor["data_type"] for tensor in (*declared, *config.get("output", []))},
    )


def check_sizes(signature: Signature, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Refuse (InvalidRequest) sizes that the graph cannot take: they would fail a whole batch, or be computed wrongly.

    Triton has checked the request against the config; here fixed sizes, and equal names across inputs, are held
    against the graph.
    """
    missing = [name for name in signature.inputs if name not in tensors and name not in signature.optional]
    if missing:
        raise InvalidRequest(f"input {', '.join(missing)} is missing")
    sizes: dict[str, tuple[str, int]] = {}
    for name, array in tensors.items():
        expected = signature.symbols[name]
        if len(expected) != array.ndim:
            raise InvalidRequest(f"{name} has {array.ndim} dimensions, the graph wants {len(expected)}")
        for axis, (want, size) in enumerate(zip(expected, array.shape, strict=True)):
            if isinstance(want, int) and want >= 0 and want != size:
                raise InvalidRequest(f"{name} has size {size} in dimension {axis}, the graph wants {want}")
            if isinstance(want, str):
                first, known = sizes.setdefault(want, (name, size))
                if known != size:
                    raise InvalidRequest(f"{name} has size {size} in dimension {axis}, {first} has {known} ({want})")


def _check(declared: Mapping[str, Any], graph: Mapping[str, GraphTensor], kind: str, batched: bool) -> None:
    name, data_type = declared["name"], declared["data_type"]
    if name not in graph:
        raise BadConfig(f"the graph has no {kind} '{name}'; it has {', '.join(sorted(graph)) or 'none'}")
    tensor = graph[name]
    if data_type not in GRAPH_TYPES:
        raise BadConfig(f"{kind} '{name}': the embedded server has no tensors of {data_type}")
    if GRAPH_TYPES[data_type] != tensor.type:
        raise BadConfig(f"{kind} '{name}': the config says {data_type}, the graph {tensor.type}")
    dims = declared["reshape"]["shape"] if "reshape" in declared else declared["dims"]
    config_shape = [-1] * batched + [int(size) for size in dims or []]
    graph_shape = [size if isinstance(size, int) and size >= 0 else -1 for size in tensor.shape]
    if batched and graph_shape[:1] != [-1]:
        raise BadConfig(f"{kind} '{name}': max_batch_size > 0 needs a first dimension that varies, not {graph_shape}")
    if not graph_shape and all(size == 1 for size in config_shape):
        return  # a scalar
    fits = len(graph_shape) == len(config_shape) and all(
        size in (-1, promised) for size, promised in zip(graph_shape, config_shape, strict=True)
    )
    if not fits:
        batch = " with the batch" if batched else ""
        raise BadConfig(f"{kind} '{name}': the config says the shape{batch} is {config_shape}, the graph {graph_shape}")


def _control_inputs(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the control tensors of a sequence batcher as inputs; their type follows from how they are given."""
    found = []
    for control_input in config.get("sequence_batching", {}).get("control_input", []):
        for control in control_input["control"]:
            found.append({"name": control_input["name"], "data_type": _control_type(control), "dims": [1]})
    return found


def _control_type(control: Mapping[str, Any]) -> str:
    for key, data_type in (("int32", "TYPE_INT32"), ("fp32", "TYPE_FP32"), ("bool", "TYPE_BOOL")):
        if control.get(f"{key}_false_true"):
            return data_type
    return str(control.get("data_type", "TYPE_INVALID"))
