"""The speaker encoder: a residual network over a mel, then mean and deviation over time, weighed by attention.

Heo et al. 2020, Clova Baseline System for the VoxCeleb Speaker Recognition Challenge 2020 (model H / ASP).
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.xtts.settings import EMBEDDING, SPEAKER_BANDS

_CHANNELS = (32, 64, 128, 256)
_BLOCKS = (3, 4, 6, 3)
_SQUEEZE = 8
"""How many times fewer numbers decide about the channels than there are channels."""
_ATTENTION = 128
LEAST_POWER = 1e-6
"""Added before the logarithm."""
LEAST_VARIANCE = 1e-5


class Squeeze(nn.Module):
    """Weighs channels by what their means say together."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // _SQUEEZE
        self.fc = nn.Sequential(nn.Linear(channels, inner), nn.ReLU(), nn.Linear(inner, channels), nn.Sigmoid())

    def products(self) -> list[nn.Linear]:
        """Return both linear layers."""
        return [layer for layer in self.fc if isinstance(layer, nn.Linear)]

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, bands, frames] -> the same."""
        weights: Tensor = self.fc(x.mean(dim=(2, 3)))
        return x * weights[:, :, None, None]


class Block(nn.Module):
    """Two convolutions beside a way around them. The first norm stands behind its ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.se = Squeeze(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, bands, frames] -> [B, outputs, bands / stride, frames / stride]."""
        around = x if self.downsample is None else self.downsample(x)
        y = self.bn1(functional.relu(self.conv1(x)))
        return functional.relu(self.se(self.bn2(self.conv2(y))) + around)


class SpeakerEncoder(nn.Module):
    """mel power [B, 64, frames] of the pre-emphasised sound at 16 kHz -> embedding [B, 512] of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, _CHANNELS[0], 3, 1, 1)
        self.bn1 = nn.BatchNorm2d(_CHANNELS[0])
        inputs = _CHANNELS[0]
        for index, (outputs, blocks) in enumerate(zip(_CHANNELS, _BLOCKS, strict=True)):
            first = Block(inputs, outputs, 1 if index == 0 else 2)
            rest = [Block(outputs, outputs, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{index + 1}", nn.Sequential(first, *rest))
            inputs = outputs
        features = _CHANNELS[-1] * SPEAKER_BANDS // _SQUEEZE
        self.attention = nn.Sequential(
            nn.Conv1d(features, _ATTENTION, 1),
            nn.ReLU(),
            nn.BatchNorm1d(_ATTENTION),
            nn.Conv1d(_ATTENTION, features, 1),
            nn.Softmax(dim=2),
        )
        self.fc = nn.Linear(2 * features, EMBEDDING)

    def forward(self, mel: Tensor) -> Tensor:
        """Make one vector of what was heard."""
        return functional.normalize(self.fc(self.heard(mel)), dim=1)

    def layers(self) -> Iterator[nn.Sequential]:
        """Return the groups of blocks."""
        for index in range(len(_CHANNELS)):
            layer = self.get_submodule(f"layer{index + 1}")
            assert isinstance(layer, nn.Sequential)
            yield layer

    def heard(self, mel: Tensor) -> Tensor:
        """Norm each band over time, look for the voice, gather it over time: [B, 4096]."""
        x = functional.instance_norm(torch.log(mel + LEAST_POWER)).unsqueeze(1)
        x = self.bn1(functional.relu(self.conv1(x)))
        for layer in self.layers():
            x = layer(x)
        x = x.flatten(1, 2)
        weights = self.attention(x)
        mean = (x * weights).sum(dim=2)
        variance = (x * x * weights).sum(dim=2) - mean * mean
        deviation = torch.sqrt(variance.clamp(min=LEAST_VARIANCE))
        return torch.cat([mean, deviation], dim=1)
