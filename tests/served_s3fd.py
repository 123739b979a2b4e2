"""S3FD in a private embedded Triton, from a checkpoint that was made up."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from deploy.triton.embedded import CHECKOUT, EmbeddedTriton
from export.onnx_file import add_metadata, trace
from export.parity import Parity, check_parity
from export.precision import precision as precision_of
from export.s3fd.family import FAMILY
from tests.killed_servers import serving

ENGINE = "faces_s3fd"
MODELS = ("s3fd", "s3fd_boxes", ENGINE)


@contextmanager
def serve_s3fd(state: Mapping[str, torch.Tensor], folder: Path, precision: str = "fp32") -> Iterator[EmbeddedTriton]:
    """Make the checkpoint version 1 of s3fd in `folder`/models, through the gate, and serve the ensemble from there."""
    for model in MODELS:
        source, target = CHECKOUT / "model_repository" / model, folder / "models" / model
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.onnx", "*.plan"))
    version_of(state, folder / "models" / FAMILY.triton_model / "1", precision)
    with serving([ENGINE], repository=folder / "models", run_dir=folder / "run") as server:
        yield server


def version_of(state: Mapping[str, torch.Tensor], version: Path, precision: str) -> Parity:
    """Write the graph of a precision that needs no conversion (fp32, bf16); return what the gate saw."""
    version.mkdir(parents=True, exist_ok=True)
    module, path = FAMILY.load(state), version / "model.onnx"
    trace(FAMILY, FAMILY.graph(module), path)
    add_metadata(path, {"polylip.precision": precision})
    return check_parity(FAMILY, module, precision_of(precision).open(version), precision, seed=1)
