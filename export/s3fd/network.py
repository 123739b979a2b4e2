"""S3FD in PyTorch, with the layer names of the published checkpoint `s3fd-619a316812.pth`.

Written from the paper (section 3.1, figure 2: VGG16 up to pool5, fc6 and fc7 as convolutions, two further stages, six
levels of which the first three are normalised) and from the keys and shapes of that checkpoint. All widths are
multiples of the first layer's, so one number describes a network: 64 for the published one, less in tests.
"""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

PUBLISHED_WIDTH = 64
"""Output channels of conv1_1 in the published checkpoint."""

STRIDES = (4, 8, 16, 32, 64, 128)
"""Pixels between the anchors of each level (paper, table 1), in the order of `LEVELS`."""

LEVELS = ("conv3_3_norm", "conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2", "conv7_2")
"""Layers that are searched; the heads of each are called `<level>_mbox_conf` and `<level>_mbox_loc`."""

BACKGROUND_LABELS = 3
"""Of the first level: its background score is the largest of so many (paper, section 3.3: max-out background label)."""

_EPSILON = 1e-10
"""A norm is at least this before the division."""

# name: output channels as a multiple of the width, input channels likewise (0: the picture), kernel, stride, padding
_CONVOLUTIONS = {
    "conv1_1": (1, 0, 3, 1, 1),
    "conv1_2": (1, 1, 3, 1, 1),
    "conv2_1": (2, 1, 3, 1, 1),
    "conv2_2": (2, 2, 3, 1, 1),
    "conv3_1": (4, 2, 3, 1, 1),
    "conv3_2": (4, 4, 3, 1, 1),
    "conv3_3": (4, 4, 3, 1, 1),
    "conv4_1": (8, 4, 3, 1, 1),
    "conv4_2": (8, 8, 3, 1, 1),
    "conv4_3": (8, 8, 3, 1, 1),
    "conv5_1": (8, 8, 3, 1, 1),
    "conv5_2": (8, 8, 3, 1, 1),
    "conv5_3": (8, 8, 3, 1, 1),
    "fc6": (16, 8, 3, 1, 3),  # padding 3 and no dilation: two cells more on each side, and so it was published
    "fc7": (16, 16, 1, 1, 0),
    "conv6_1": (4, 16, 1, 1, 0),
    "conv6_2": (8, 4, 3, 2, 1),
    "conv7_1": (2, 8, 1, 1, 0),
    "conv7_2": (4, 2, 3, 2, 1),
}
# Relu after each; then max pooling by 2 after the last of a stage; a level is read before the pooling.
_STAGES = (
    ("conv1_1", "conv1_2"),
    ("conv2_1", "conv2_2"),
    ("conv3_1", "conv3_2", "conv3_3"),
    ("conv4_1", "conv4_2", "conv4_3"),
    ("conv5_1", "conv5_2", "conv5_3"),
)
_EXTRA_STAGES = (("fc6", "fc7"), ("conv6_1", "conv6_2"), ("conv7_1", "conv7_2"))
_LEVEL_WIDTHS = (4, 8, 8, 16, 8, 4)
_INITIAL_NORMS = {"conv3_3_norm": 10.0, "conv4_3_norm": 8.0, "conv5_3_norm": 5.0}


class ChannelNorm(nn.Module):
    """Scales the channels of each position to the Euclidean length 1, then each channel by a learned weight."""

    def __init__(self, channels: int, initial: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), initial))

    def forward(self, features: Tensor) -> Tensor:
        """[n, c, h, w] -> the same shape."""
        # Published: length + 1e-10. The same for every length that FP32 tells from 0; the exporter takes the sum for a
        # sum with 0 and drops it, and positions without any feature would be NaN.
        length = features.pow(2).sum(dim=1, keepdim=True).sqrt().clamp(min=_EPSILON)
        return features / length * self.weight.view(1, -1, 1, 1)


class S3fd(nn.Module):
    """The network without pre- and post-processing."""

    def __init__(self, width: int = PUBLISHED_WIDTH) -> None:
        super().__init__()
        self.width = width
        for name, (out, into, kernel, stride, padding) in _CONVOLUTIONS.items():
            self.add_module(name, nn.Conv2d(into * width or 3, out * width, kernel, stride, padding))
        for level, multiple in zip(LEVELS, _LEVEL_WIDTHS, strict=True):
            channels = multiple * width
            if level in _INITIAL_NORMS:
                self.add_module(level, ChannelNorm(channels, _INITIAL_NORMS[level]))
            labels = 1 + (BACKGROUND_LABELS if level == LEVELS[0] else 1)
            self.add_module(f"{level}_mbox_conf", nn.Conv2d(channels, labels, 3, padding=1))
            self.add_module(f"{level}_mbox_loc", nn.Conv2d(channels, 4, 3, padding=1))

    def forward(self, pixels: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return of each level the logits [n, 2, h, w] (background, face) and the offsets [n, 4, h, w].

        `pixels`: FP32 [n, 3, height, width], BGR, the mean subtracted; each side 32 or more.
        """
        found = []
        for level, features in zip(LEVELS, self.features(pixels), strict=True):
            labels = self.layer(f"{level}_mbox_conf")(features)
            logits = _max_out(labels) if level == LEVELS[0] else labels
            found.append((logits, self.layer(f"{level}_mbox_loc")(features)))
        return found

    def features(self, pixels: Tensor) -> list[Tensor]:
        """Return what the heads of each level read, [n, channels, h, w]."""
        read = []
        flow = pixels
        for stage in _STAGES:
            flow = self._stage(stage, flow)
            if (norm := f"{stage[-1]}_norm") in LEVELS:
                read.append(self.layer(norm)(flow))
            flow = functional.max_pool2d(flow, 2)
        for stage in _EXTRA_STAGES:
            flow = self._stage(stage, flow)
            read.append(flow)
        return read

    def layer(self, name: str) -> nn.Module:
        """Return the layer of that name."""
        return cast("nn.Module", getattr(self, name))

    def _stage(self, names: tuple[str, ...], flow: Tensor) -> Tensor:
        for name in names:
            flow = functional.relu(self.layer(name)(flow))
        return flow


def width_of(state: Mapping[str, Tensor]) -> int:
    """Return the width of the network that a state dict belongs to.

    The published width for one that has no such layer, or a wider one: its keys and shapes then say what is wrong.
    """
    first = state.get("conv1_1.weight")
    width = first.shape[0] if first is not None and first.ndim else 0
    return width if 0 < width <= PUBLISHED_WIDTH else PUBLISHED_WIDTH


def _max_out(labels: Tensor) -> Tensor:
    """[n, k + 1, h, w], the face last -> [n, 2, h, w]: the largest background label, the face."""
    return torch.cat([labels[:, :-1].amax(dim=1, keepdim=True), labels[:, -1:]], dim=1)
