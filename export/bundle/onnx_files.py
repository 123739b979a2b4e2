"""Writes the graphs of a bundle into files; weights beyond what one protobuf file can hold go into a second one."""

import shutil
from pathlib import Path

import onnx
from torch import nn

from export.bundle.graph import Graph
from export.errors import SignatureMismatch
from export.onnx_file import name_sizes, strip, trace_module
from export.signature import facts_of, listed

_DATA_SUFFIX = ".data"
_GREATEST_BYTES = 1_900_000_000
"""A protobuf file ends at 2 GiB; some of that is for everything but the weights."""


def data_path(path: Path) -> Path:
    """Return the file beside a graph that has its weights, when they are too many for the graph's own."""
    return path.with_name(path.name + _DATA_SUFFIX)


def write(graph: Graph, path: Path) -> None:
    """Write the graph as ONNX with its varying axes.

    Raises:
        ExportError: the module cannot be traced.
        SignatureMismatch: the file's tensors are not those that the graph promises.
    """
    if isinstance(graph.module, nn.Module):
        _trace(graph, graph.module, path)
    else:
        save(graph.module(), path)
    onnx.checker.check_model(path, full_check=True)
    check_tensors(graph, path)


def _trace(graph: Graph, module: nn.Module, path: Path) -> None:
    names = [tensor.name for tensor in graph.inputs]
    inputs = {name: graph.examples[name] for name in names}
    program = trace_module(graph.role, module, inputs, [each.name for each in graph.outputs], graph.dynamic_axes())
    weights_bytes = sum(each.nbytes for each in module.state_dict().values())
    program.save(path, external_data=weights_bytes > _GREATEST_BYTES)
    del program
    model = onnx.load(path, load_external_data=False)
    strip(model)
    name_sizes(model, [tensor.dims for tensor in graph.outputs])
    onnx.save(model, path)


def check_tensors(graph: Graph, path: Path) -> None:
    """Hold a file against what the graph promises: names in order, types, sizes, which vary (SignatureMismatch)."""
    found = onnx.load(path, load_external_data=False).graph
    for kind, values, promised in (("inputs", found.input, graph.inputs), ("outputs", found.output, graph.outputs)):
        have = [facts_of(value) for value in values]
        want = [(each.name, each.dtype, each.triton_dims) for each in promised]
        if have != want:
            raise SignatureMismatch(
                f"{path.name}: the graph's {kind} are {listed(have)}; the family promises {listed(want)}"
            )


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph; weights that would pass 2 GB go into `<path>.data`."""
    large = model.ByteSize() > _GREATEST_BYTES
    if not large:
        onnx.save(model, path)
        return
    onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location=data_path(path).name)


def copy(source: Path, target: Path) -> None:
    """Copy a graph and its weights."""
    if not data_path(source).is_file():
        shutil.copyfile(source, target)
        return
    if source.name == target.name:
        shutil.copyfile(source, target)
        shutil.copyfile(data_path(source), data_path(target))
        return
    save(onnx.load(source), target)  # the graph names the file of its weights: written anew under the other name
