"""Makes ONNX files of PyTorch modules, and edits them: probes, metadata."""

import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx
import onnxscript
import torch
from torch import nn

from export.errors import ExportError
from export.family import Family
from export.signature import Signature, Tensors, check_graph

OPSET = 18
"""What torch.onnx writes without converting; ONNX Runtime reads it since 1.14, TensorRT since 8.6."""
IR_VERSION = 10
"""ONNX Runtime reads it since 1.18: Triton's containers since 24.06."""

TOOLS = {"torch": torch.__version__, "onnx": onnx.__version__, "onnxscript": onnxscript.__version__}


def trace(family: Family, graph: nn.Module, path: Path) -> None:
    """Write the family's graph with its probes as ONNX, its axes dynamic as the signature says.

    Raises:
        ExportError: the module cannot be traced.
        SignatureMismatch: the file's tensors are not the signature's.
    """
    inputs = family.trace_inputs()
    axes = family.dynamic_axes()
    names = [tensor.name for tensor in family.signature.inputs]
    outputs = (*family.signature.outputs, *family.probes)
    program = trace_module(
        family.name, graph, {name: inputs[name] for name in names}, [each.name for each in outputs],
        [axes[name] for name in names],
    )  # fmt: skip
    model = program.model_proto
    strip(model)
    name_sizes(model, [("batch", *tensor.dims) for tensor in outputs])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    check_graph(path, Signature(family.signature.inputs, outputs))


def trace_module(
    what: str,
    module: nn.Module,
    inputs: Tensors,
    output_names: Sequence[str],
    dynamic_axes: Sequence[Mapping[int, object]],
) -> torch.onnx.ONNXProgram:
    """Trace a module; `inputs` in its order, `dynamic_axes` input by input. ExportError: it cannot be traced."""
    try:
        with _quiet():
            program = torch.onnx.export(
                module.eval(),
                tuple(map(torch.from_numpy, inputs.values())),
                input_names=list(inputs),
                output_names=list(output_names),
                dynamic_shapes=_nested(module, dynamic_axes),
                opset_version=OPSET,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise ExportError(f"{what} cannot be traced: {_reason(error)}") from error
    assert program is not None  # it is when no path is given
    return program


def _nested(module: nn.Module, axes: Sequence[Mapping[int, object]]) -> tuple[object, ...]:
    """Put the axes of what `forward` takes as *rest into a tuple of their own, as torch.export wants them."""
    parameters = inspect.signature(module.forward).parameters.values()
    if all(each.kind is not each.VAR_POSITIONAL for each in parameters):
        return tuple(map(dict, axes))
    named = len(parameters) - 1
    return (*map(dict, axes[:named]), tuple(map(dict, axes[named:])))


def drop_outputs(source: Path, names: Sequence[str], path: Path) -> None:
    """Copy the graph without these outputs; all of its nodes stay, but those that only they needed do nothing."""
    model = onnx.load(source)
    kept = [output for output in model.graph.output if output.name not in names]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    onnx.save(model, path)


def read_metadata(path: Path) -> dict[str, str]:
    """Return the file's metadata_props."""
    return {entry.key: entry.value for entry in onnx.load(path, load_external_data=False).metadata_props}


def add_metadata(path: Path, entries: Mapping[str, str]) -> None:
    """Write further metadata_props into the file; other keys stay."""
    model = onnx.load(path, load_external_data=False)  # tensors in a second file stay there
    known = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, known | dict(entries))
    onnx.save(model, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what torch.onnx says to everyone who calls it, and nothing else."""
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")  # that torchvision is not installed
    level = registration.level
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # torch 2.13 trips over its own deprecation while it copies the traced program.
            warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated", category=FutureWarning)
            # One name for the batch axis of two inputs is what is wanted.
            warnings.filterwarnings("ignore", message=".*shares the same shape constraints", category=UserWarning)
            yield
    finally:
        registration.setLevel(level)


def strip(model: onnx.ModelProto) -> None:
    """Leave out what the tracer noted for debugging: among it the paths and lines of this machine's source files."""
    del model.metadata_props[:]
    model.ir_version = min(model.ir_version, IR_VERSION)
    model.doc_string = ""
    graph = model.graph
    del graph.metadata_props[:]
    del graph.value_info[:]  # ONNX Runtime infers them anew
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def name_sizes(model: onnx.ModelProto, promised: Sequence[Sequence[int | str]]) -> None:
    """Call the outputs' sizes that vary as promised, every axis of every output: the tracer's names are formulas."""
    for output, sizes in zip(model.graph.output, promised, strict=True):
        for dim, size in zip(output.type.tensor_type.shape.dim, sizes, strict=True):
            if isinstance(size, str) and not dim.HasField("dim_value"):
                dim.dim_param = size


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
