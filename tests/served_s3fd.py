"""S3FD in a private embedded Triton, from a checkpoint that was made up."""

import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch

from deploy.triton.embedded import CHECKOUT, EmbeddedTriton
from export.parity import Parity, check_parity
from export.precision import precision as precision_of
from export.s3fd.family import FAMILY
from export.signature import check_graph

ENGINE = "faces_s3fd"
MODELS = ("s3fd", "s3fd_boxes", ENGINE)


@contextmanager
def serve_s3fd(state: Mapping[str, torch.Tensor], folder: Path, precision: str = "fp32") -> Iterator[EmbeddedTriton]:
    """Make the checkpoint version 1 of s3fd in `folder`/models, through the gate, and serve the ensemble from there."""
    for model in MODELS:
        source, target = CHECKOUT / "model_repository" / model, folder / "models" / model
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.onnx", "*.plan"))
    version_of(state, folder / "models" / FAMILY.triton_model / "1", precision)
    with EmbeddedTriton([ENGINE], repository=folder / "models", run_dir=folder / "run") as server:
        yield server


def version_of(state: Mapping[str, torch.Tensor], version: Path, precision: str) -> Parity:
    """Write the graph of a precision that needs no conversion (fp32, bf16); return what the gate saw."""
    version.mkdir(parents=True, exist_ok=True)
    module, path = FAMILY.load(state), version / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the tracing exporter
        torch.onnx.export(
            FAMILY.graph(module).eval(),
            tuple(torch.from_numpy(array) for array in FAMILY.trace_inputs().values()),
            path,
            dynamo=False,
            opset_version=17,
            input_names=[each.name for each in FAMILY.signature.inputs],
            output_names=[each.name for each in FAMILY.signature.outputs],
            dynamic_axes=FAMILY.dynamic_axes() | {each.name: {0: "batch"} for each in FAMILY.signature.outputs},
        )
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, {"polylip.precision": precision})
    onnx.save(graph, path)
    check_graph(path, FAMILY.signature)
    return check_parity(FAMILY, module, precision_of(precision).open(version), precision, seed=1)
