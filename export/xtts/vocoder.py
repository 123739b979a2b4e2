"""The generator as it is served: its convolutions over pictures of one row, which OpenVINO computes twice as fast."""

from typing import TypeVar

from torch import Tensor, nn
from torch.nn import functional

from export.xtts.generator import BLOCK_KERNELS, LAST_SLOPE, SLOPE, Generator, ResidualBlock
from export.xtts.parts import typed

M = TypeVar("M", nn.Conv2d, nn.ConvTranspose2d)


class VocoderGraph(nn.Module):
    """features [B, width, frames], embedding [B, 512] -> audio [B, frames * 256], -1..1."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.pre, self.post = _flat(generator.conv_pre), _flat(generator.conv_post)
        self.condition = _flat(generator.cond_layer)
        self.ups = nn.ModuleList([_flat_transposed(each) for each in typed(generator.ups, nn.ConvTranspose1d)])
        self.conditions = nn.ModuleList([_flat(each) for each in typed(generator.conds, nn.Conv1d)])
        self.blocks = nn.ModuleList([_FlatBlock(each) for each in typed(generator.resblocks, ResidualBlock)])

    def forward(self, features: Tensor, embedding: Tensor) -> tuple[Tensor]:
        """Speak; the axis of height, 1 everywhere, comes and goes here."""
        voice = embedding[:, :, None, None]
        x = self.pre(features.unsqueeze(2)) + self.condition(voice)
        for stage, (up, condition) in enumerate(zip(self.ups, self.conditions, strict=True)):
            x = up(functional.leaky_relu(x, SLOPE)) + condition(voice)
            first, *more = self.blocks[stage * len(BLOCK_KERNELS) : (stage + 1) * len(BLOCK_KERNELS)]
            x = sum((block(x) for block in more), start=first(x)) / len(BLOCK_KERNELS)
        x = self.post(functional.leaky_relu(x, LAST_SLOPE))
        return (x.tanh().flatten(1),)


class _FlatBlock(nn.Module):
    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        self.firsts = nn.ModuleList([_flat(each) for each in typed(block.convs1, nn.Conv1d)])
        self.seconds = nn.ModuleList([_flat(each) for each in typed(block.convs2, nn.Conv1d)])

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, 1, samples] -> the same."""
        for first, second in zip(self.firsts, self.seconds, strict=True):
            y = first(functional.leaky_relu(x, SLOPE))
            x = x + second(functional.leaky_relu(y, SLOPE))
        return x


def _flat(conv: nn.Conv1d) -> nn.Conv2d:
    kernel, padding, dilation = conv.kernel_size[0], conv.padding[0], conv.dilation[0]
    assert isinstance(padding, int)
    flat = nn.Conv2d(
        conv.in_channels, conv.out_channels, (1, kernel), 1, (0, padding), (1, dilation), bias=conv.bias is not None
    )
    return _with_weights(flat, conv)


def _flat_transposed(conv: nn.ConvTranspose1d) -> nn.ConvTranspose2d:
    kernel, stride, padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
    assert isinstance(padding, int)
    flat = nn.ConvTranspose2d(conv.in_channels, conv.out_channels, (1, kernel), (1, stride), (0, padding))
    return _with_weights(flat, conv)


def _with_weights(flat: M, conv: nn.Conv1d | nn.ConvTranspose1d) -> M:
    flat.weight = nn.Parameter(conv.weight.detach().unsqueeze(2), requires_grad=False)
    if conv.bias is not None:
        flat.bias = nn.Parameter(conv.bias.detach(), requires_grad=False)
    return flat
