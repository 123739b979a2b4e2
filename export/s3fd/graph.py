"""What Triton serves of S3FD: bytes in, face probabilities and raw offsets of every anchor out.

Boxes are not decoded here: in bfloat16 a pixel coordinate of 640 is 2 pixels coarse, while an offset is relative to its
anchor. Decoding, and with it every threshold, is model_repository/s3fd_boxes.
"""

import torch
from torch import Tensor, nn

from export.s3fd.network import STRIDES, S3fd

MEAN_BGR = (104.0, 117.0, 123.0)
"""Subtracted from the pixels, as the published detector does (face_alignment/detection/sfd/detect.py)."""

INPUT = "FRAMES"
OUTPUTS = tuple(f"LEVEL_{stride}" for stride in STRIDES)
"""One FP32 [n, h, w, 5] a level: face probability, then dx dy dw dh."""


class ServedS3fd(nn.Module):
    """RGB bytes [n, height, width, 3] -> `OUTPUTS`."""

    mean: Tensor
    bgr: Tensor

    def __init__(self, network: S3fd) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN_BGR).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("bgr", torch.tensor([2, 1, 0]), persistent=False)

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """`frames`: uint8."""
        return tuple(_level(logits, offsets) for logits, offsets in self.network(self.pixels(frames)))

    def pixels(self, frames: Tensor) -> Tensor:
        """Return what the network reads: FP32 [n, 3, height, width], BGR, the mean subtracted."""
        return frames.permute(0, 3, 1, 2).float().index_select(1, self.bgr) - self.mean


def _level(logits: Tensor, offsets: Tensor) -> Tensor:
    # The softmax of two is the sigmoid of their difference.
    probability = torch.sigmoid(logits[:, 1:] - logits[:, :1])
    return torch.cat([probability, offsets], dim=1).permute(0, 2, 3, 1)
