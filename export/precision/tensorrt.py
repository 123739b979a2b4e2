"""TensorRT plans: compiled for one GPU and one version of TensorRT, in half precision or FP32.

A plan runs only where TensorRT has the version that built it and the GPU is of the same kind, so it is built where it
will be served: inside Triton's container (docs/GPU.md). Served by configs/gpu_tensorrt.pbtxt.
"""

import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from export.errors import PrecisionUnavailable
from export.parity import Runner
from export.precision.base import Job, Precision
from export.precision.plan_builder import build_plan, open_plan
from export.precision.plan_shapes import profile_shapes

PLAN = "model.plan"
"""The file name that Triton's backend tensorrt looks for."""

IMAGE = "nvcr.io/nvidia/tritonserver:26.08-py3"
"""The container that the plans are built in and served by."""

BUILD_COMMAND = (
    f'docker run --rm --gpus all --volume "$PWD":/polylip --workdir /polylip {IMAGE} '
    "deploy/triton/build_plan.sh <family> --checkpoint <file> --precision <tensorrt or tensorrt_fp32> --version <n>"
)

_CACHES = Path(__file__).parents[2] / ".run" / "tensorrt"


class TensorRt(Precision):
    """A plan of one number format."""

    graph_precision: ClassVar[str]
    """Whose ONNX file is compiled: its types become the plan's."""

    def check_available(self) -> None:
        """Raise PrecisionUnavailable, with the command that works, unless TensorRT and a CUDA GPU are here."""
        _tensorrt()
        import torch

        if not torch.cuda.is_available():
            raise PrecisionUnavailable(f"a TensorRT plan is built on the GPU that serves it; here is none. {_hint()}")

    def build(self, job: Job) -> None:
        """Compile the fp32 graph, or the family's fp16 graph made of it."""
        from export.precision import precision  # the registry names this module

        trt = _tensorrt()
        with tempfile.TemporaryDirectory() as folder:
            graph = Job(job.source, Path(folder), job.family, job.seed)
            precision(self.graph_precision).build(graph)
            shapes = profile_shapes(job.family.signature.inputs)
            cache = _CACHES / f"timing-{trt.__version__}.cache"
            plan = build_plan(trt, graph.folder / "model.onnx", shapes, cache)
        (job.folder / PLAN).write_bytes(plan)

    def open(self, folder: Path) -> Runner:
        """Run the plan in TensorRT's own runtime."""
        return open_plan(_tensorrt(), folder / PLAN)

    def execution(self) -> Mapping[str, str]:
        """Return what the plan is bound to: the builder's version and the GPU."""
        import torch

        major, minor = torch.cuda.get_device_capability()
        return {
            "provider": "TensorRT",
            "tensorrt": str(_tensorrt().__version__),
            "gpu": torch.cuda.get_device_name(),
            "compute_capability": f"{major}.{minor}",
            "types": self.graph_precision,
        }


class TensorRtHalf(TensorRt):
    """Half precision, where the family's fp16 graph has it."""

    name = "tensorrt"
    graph_precision = "fp16"


class TensorRtSingle(TensorRt):
    """Single precision without TF32."""

    name = "tensorrt_fp32"
    graph_precision = "fp32"


def _tensorrt() -> Any:  # noqa: ANN401
    try:
        return import_module("tensorrt")
    except ImportError as error:
        raise PrecisionUnavailable(f"the Python package tensorrt is not installed here. {_hint()}") from error


def _hint() -> str:
    return f"Run this in the checkout on the GPU server:\n{BUILD_COMMAND}"


PRECISION = TensorRtHalf()
