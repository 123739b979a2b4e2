"""S3FD at the published size (random weights): PyTorch fp32, ONNX Runtime fp32, OpenVINO bf16, and served by Triton.

One frame a call, on all cores, the contenders in turn. PyTorch is timed at preprocessing and network, without the
published decoding; Triton's time has everything:

    python -m tests.benchmarks --only lips
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from client.connection import TritonConnection
from client.contracts import UInt8Array
from client.faces import TritonFaces
from export.precision.openvino import open_openvino, processor_has_bf16
from export.runtime import open_graph
from export.s3fd.family import FAMILY
from export.s3fd.synth import random_picture
from tests.benchmarks.results import record
from tests.served_s3fd import serve_s3fd

SIZES_PX = {"640x360": (360, 640), "341x192": (192, 341)}
"""The first is what the speed-up is stated for, the second a 16:9 clip at the engine's own short side."""
ROUNDS = 9
WARM_UP_ROUNDS = 2

Contenders = Mapping[str, Callable[[UInt8Array], object]]


def main() -> None:
    """Measure, print, record."""
    with tempfile.TemporaryDirectory() as folder, _contenders(Path(folder)) as contenders:
        figures: dict[str, float] = {}
        for size, (height, width) in SIZES_PX.items():
            frame = random_picture(height, width, torch.Generator().manual_seed(0)).numpy()[np.newaxis]
            medians = _interleaved_ms(contenders, frame)
            figures |= {f"faces.{name}_ms_{size}": value for name, value in medians.items()}
            figures[f"faces.speedup_vs_torch_{size}"] = medians["torch"] / medians["triton"]
    figures["faces.speedup_vs_torch"] = figures["faces.speedup_vs_torch_640x360"]
    record(figures)


@contextmanager
def _contenders(folder: Path) -> Iterator[Contenders]:
    precision = "bf16" if processor_has_bf16() else "fp32"
    state = FAMILY.synth(0, 1.0)
    with (
        serve_s3fd(state, folder, precision) as server,
        TritonConnection(server.grpc_url, control_timeout_s=30.0) as connection,
    ):
        faces = TritonFaces(connection, "faces_s3fd", timeout_s=120.0, transport="grpc")
        graph = folder / "models" / FAMILY.triton_model / "1" / "model.onnx"
        network = FAMILY.load(state)
        onnxruntime = open_graph(graph)
        openvino = open_openvino(graph, "bf16" if precision == "bf16" else "f32")
        yield {
            "torch": lambda frame: FAMILY.reference(network, {"FRAMES": frame}),
            "onnxruntime": lambda frame: onnxruntime({"FRAMES": frame}),
            f"openvino_{precision}": lambda frame: openvino({"FRAMES": frame}),
            "triton": faces.detect,
        }


def _interleaved_ms(contenders: Contenders, frame: UInt8Array) -> dict[str, float]:
    """Return the median of each contender, in milliseconds."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(WARM_UP_ROUNDS + ROUNDS):
        for name, run in contenders.items():
            begin = time.perf_counter()
            run(frame)
            if turn >= WARM_UP_ROUNDS:
                taken[name].append((time.perf_counter() - begin) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}
