"""HiFi-GAN's generator with the speaker's embedding in every stage.

Kong et al. 2020, HiFi-GAN: Generative Adversarial Networks for Efficient and High Fidelity Speech Synthesis.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.xtts.parts import typed
from export.xtts.settings import EMBEDDING

CHANNELS = 512
"""After the first convolution; every stage halves them."""
RATES = (8, 8, 2, 2)
KERNELS = (16, 16, 4, 4)
"""Of the stages: how much longer the sound becomes, and over how much a transposed convolution reaches."""
BLOCK_KERNELS = (3, 7, 11)
DILATIONS = (1, 3, 5)
SLOPE = 0.1
"""Of leaky ReLU everywhere but before the last convolution."""
LAST_SLOPE = 0.01
_EDGE = 7
"""Kernel of the first and the last convolution."""


class ResidualBlock(nn.Module):
    """Three pairs of convolutions, each pair added to its input."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Conv1d:
            return nn.Conv1d(channels, channels, kernel, padding=(kernel - 1) * dilation // 2, dilation=dilation)

        self.convs1 = nn.ModuleList([conv(dilation) for dilation in DILATIONS])
        self.convs2 = nn.ModuleList([conv(1) for _ in DILATIONS])

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, samples] -> the same."""
        for first, second in zip(self.convs1, self.convs2, strict=True):
            y = first(functional.leaky_relu(x, SLOPE))
            x = x + second(functional.leaky_relu(y, SLOPE))
        return x


class Generator(nn.Module):
    """features [B, width, frames], embedding [B, 512, 1] -> audio [B, 1, frames * 256]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_pre = nn.Conv1d(width, CHANNELS, _EDGE, padding=_EDGE // 2)
        self.cond_layer = nn.Conv1d(EMBEDDING, CHANNELS, 1)
        sizes = [CHANNELS >> stage for stage in range(len(RATES) + 1)]
        self.ups = nn.ModuleList(
            [
                nn.ConvTranspose1d(sizes[stage], sizes[stage + 1], kernel, rate, (kernel - rate) // 2)
                for stage, (rate, kernel) in enumerate(zip(RATES, KERNELS, strict=True))
            ]
        )
        self.conds = nn.ModuleList([nn.Conv1d(EMBEDDING, size, 1) for size in sizes[1:]])
        self.resblocks = nn.ModuleList([ResidualBlock(size, kernel) for size in sizes[1:] for kernel in BLOCK_KERNELS])
        self.conv_post = nn.Conv1d(sizes[-1], 1, _EDGE, padding=_EDGE // 2, bias=False)

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """Speak."""
        x = self.conv_pre(features) + self.cond_layer(embedding)
        blocks = typed(self.resblocks, ResidualBlock)
        for stage, (up, condition) in enumerate(zip(self.ups, self.conds, strict=True)):
            x = up(functional.leaky_relu(x, SLOPE)) + condition(embedding)
            here = blocks[stage * len(BLOCK_KERNELS) : (stage + 1) * len(BLOCK_KERNELS)]
            x = sum((block(x) for block in here[1:]), start=here[0](x)) / len(here)
        y: Tensor = torch.tanh(self.conv_post(functional.leaky_relu(x, LAST_SLOPE)))
        return y
