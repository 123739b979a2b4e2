"""What the exporter needs to know of S3FD."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from client.sample import Check
from export.checkpoint import load_strict
from export.family import Family
from export.parity import Figure, Limit, max_abs_difference
from export.s3fd.boxes import lost_overlap
from export.s3fd.graph import INPUT, MEAN_BGR, OUTPUTS, ServedS3fd
from export.s3fd.network import PUBLISHED_WIDTH, STRIDES, S3fd, width_of
from export.s3fd.synth import random_picture, synthesise
from export.signature import Signature, Tensor, Tensors

_Rows = NDArray[np.float32]

PROBABILITY, OFFSETS, BOXES = "probability", "offsets", "boxes"
"""What the gate compares: face probabilities; raw offsets, in tenths of the anchor's side (dx dy) and fifths of a
natural logarithm (dw dh); 1 - IoU of the boxes whose anchors either side takes for a face."""

_EXACT = Limit(max_abs=1e-4, batch_abs=1e-4)
_LIMITS: Mapping[str, Limit] = {PROBABILITY: _EXACT, OFFSETS: _EXACT, BOXES: _EXACT}
_REDUCED_LIMITS: Mapping[str, Limit] = {
    # Whatever the original scores above 0.55 stays a face, whatever it scores below 0.45 stays none (bfloat16 moves
    # logits by 2 % of their spread, on random weights up to 0.034 near 0.5). A box that overlaps the original's by
    # 0.95 differs by about 1 % of its side at each edge, half of the tracker's measurement noise.
    PROBABILITY: Limit(max_abs=0.05, batch_abs=0.05),
    BOXES: Limit(max_abs=0.05, batch_abs=0.05),
}
_SIZES_PX = {1: (192, 341), 2: (48, 64), 3: (160, 90)}
"""Height and width of the pictures in the gate's batch of so many: 16:9 as served, tiny, portrait; else 256 x 256."""


class S3fdFamily(Family):
    """S3FD as Wav2Lip and face-alignment publish it."""

    name = "s3fd"
    triton_model = "s3fd"
    licence = "BSD-3-Clause (face-alignment, whose release carries the weights); trained on WIDER FACE"
    source = "Zhang et al. 2017, S3FD: Single Shot Scale-invariant Face Detector; github.com/1adrianb/face-alignment"
    published_files = ("s3fd-619a316812.pth", "s3fd.pth")
    precisions = ("fp32", "fp16", "bf16", "tensorrt", "tensorrt_fp32")
    signature = Signature(
        inputs=(Tensor(INPUT, "UINT8", ("height", "width", 3)),),
        outputs=tuple(
            Tensor(name, "FP32", (f"rows_{stride}", f"columns_{stride}", 5))
            for name, stride in zip(OUTPUTS, STRIDES, strict=True)
        ),
    )
    batch_sizes = (1, 2, 3)
    reduced_width = 0.125

    def synth(self, seed: int, width: float) -> dict[str, object]:
        """Make a bare state dict, as published."""
        return {**synthesise(max(1, round(PUBLISHED_WIDTH * width)), seed)}

    def load(self, state: Mapping[str, torch.Tensor]) -> nn.Module:
        """Build the network of the checkpoint's width and load it strictly; KeysMismatch."""
        return load_strict(S3fd(width_of(state)), state)

    def graph(self, module: nn.Module) -> nn.Module:
        """Fold the preprocessing and the softmax in."""
        assert isinstance(module, S3fd)
        return ServedS3fd(module)

    def samples(self, rng: np.random.Generator, batch: int) -> Tensors:
        """Draw pictures of one size; the size depends on the batch."""
        height, width = _SIZES_PX.get(batch, (256, 256))
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        return {INPUT: np.stack([random_picture(height, width, generator).numpy() for _ in range(batch)])}

    def reference(self, module: nn.Module, inputs: Tensors) -> Tensors:
        """As the published detector computes: BGR, mean, NCHW; softmax over the two labels of each anchor."""
        bgr = inputs[INPUT][..., ::-1].astype(np.float32) - np.array(MEAN_BGR, np.float32)
        with torch.no_grad():
            levels = module(torch.from_numpy(np.ascontiguousarray(bgr.transpose(0, 3, 1, 2))))
        return {
            name: np.concatenate([torch.softmax(logits, 1)[:, 1:].numpy(), offsets.numpy()], 1).transpose(0, 2, 3, 1)
            for name, (logits, offsets) in zip(OUTPUTS, levels, strict=True)
        }

    def limits(self, precision: str) -> Mapping[str, Limit]:
        """Return the limits of PROBABILITY, OFFSETS (fp32 only) and BOXES."""
        return _LIMITS if precision == "fp32" else _REDUCED_LIMITS

    def sample_checks(self) -> Mapping[str, Check]:
        """Compare probabilities; raw offsets mean something only where there is a face, and need only be finite."""
        near = Check("near", (_REDUCED_LIMITS[PROBABILITY].max_abs, None, None, None, None))
        return {tensor.name: near for tensor in self.signature.outputs}

    def figures(self, precision: str, expected: Tensors, got: Tensors, alone: Tensors) -> Sequence[Figure]:
        """Compare by what the numbers mean."""
        original, candidate, single = _rows(expected), _rows(got), _rows(alone)
        compare: Mapping[str, Callable[[_Rows, _Rows], float]] = {
            PROBABILITY: lambda one, other: max_abs_difference(one[:, 0], other[:, 0]),
            OFFSETS: lambda one, other: max_abs_difference(one[:, 1:], other[:, 1:]),
            BOXES: lost_overlap,
        }
        return [
            Figure(name, compare[name](original, candidate), compare[name](candidate, single), None, limit)
            for name, limit in self.limits(precision).items()
        ]


def _rows(outputs: Tensors) -> _Rows:
    """Put the anchors of all levels and frames together: [anchors, 5]."""
    return np.concatenate([outputs[name].reshape(-1, 5) for name in OUTPUTS])


FAMILY = S3fdFamily()
