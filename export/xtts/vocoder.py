"""vocoder.onnx: the generator with its convolutions over pictures of one row, which OpenVINO computes twice as fast.

features FP32 [B, width, frames], embedding FP32 [B, 512] -> audio FP32 [B, frames * 256], -1..1.
"""

from collections.abc import Sequence
from typing import TypeVar

import onnx
from torch import nn

from export.signature import Tensor
from export.xtts.generator import BLOCK_KERNELS, LAST_SLOPE, SLOPE, Generator, ResidualBlock
from export.xtts.parts import typed
from export.xtts.writer import GraphWriter

M = TypeVar("M", nn.Conv2d, nn.ConvTranspose2d)


def vocoder_model(generator: Generator, inputs: Sequence[Tensor], output: Tensor) -> onnx.ModelProto:
    """Write the graph; the axis of height, 1 everywhere, comes and goes in it."""
    writer = _Writer()
    voice = writer.node("Unsqueeze", ["embedding", writer.sizes(2, 3)], "voice")
    x = writer.node("Unsqueeze", ["features", writer.sizes(2)], "picture")
    x = writer.told(writer.flat(x, generator.conv_pre, "pre"), voice, generator.cond_layer, "told")
    blocks = typed(generator.resblocks, ResidualBlock)
    conditions = typed(generator.conds, nn.Conv1d)
    for stage, up in enumerate(typed(generator.ups, nn.ConvTranspose1d)):
        x = writer.flat(writer.leaky(x, SLOPE, f"leaky_{stage}"), up, f"up_{stage}")
        x = writer.told(x, voice, conditions[stage], f"told_{stage}")
        here = blocks[stage * len(BLOCK_KERNELS) : (stage + 1) * len(BLOCK_KERNELS)]
        found = [writer.block(x, block, f"block_{stage}_{index}") for index, block in enumerate(here)]
        summed = writer.node("Sum", found, f"sum_{stage}")
        x = writer.node("Div", [summed, writer.number(len(here))], f"stage_{stage}")
    x = writer.flat(writer.leaky(x, LAST_SLOPE, "leaky"), generator.conv_post, "post")
    writer.node("Squeeze", [writer.node("Tanh", [x], "sound"), writer.sizes(1, 2)], output.name)
    return writer.model("vocoder", inputs, [output])


class _Writer(GraphWriter):
    def block(self, x: str, block: ResidualBlock, name: str) -> str:
        """Pairs of convolutions, each pair added to its input."""
        pairs = zip(typed(block.convs1, nn.Conv1d), typed(block.convs2, nn.Conv1d), strict=True)
        for index, (first, second) in enumerate(pairs):
            here = f"{name}_{index}"
            y = self.flat(self.leaky(x, SLOPE, f"{here}_into"), first, f"{here}_first")
            y = self.flat(self.leaky(y, SLOPE, f"{here}_between"), second, f"{here}_second")
            x = self.node("Add", [x, y], here)
        return x

    def told(self, x: str, voice: str, condition: nn.Conv1d, name: str) -> str:
        """Add what the voice says here."""
        return self.node("Add", [x, self.flat(voice, condition, f"{name}.voice")], name)

    def leaky(self, x: str, slope: float, name: str) -> str:
        """Leaky ReLU."""
        return self.node("LeakyRelu", [x], name, alpha=slope)

    def flat(self, x: str, conv: nn.Conv1d | nn.ConvTranspose1d, name: str) -> str:
        """The convolution over lines as one over pictures of one row."""
        return self.convolution(x, _transposed(conv) if isinstance(conv, nn.ConvTranspose1d) else _flat(conv), name)


def _flat(conv: nn.Conv1d) -> nn.Conv2d:
    kernel, padding, dilation = conv.kernel_size[0], conv.padding[0], conv.dilation[0]
    assert isinstance(padding, int)
    sizes = conv.in_channels, conv.out_channels, (1, kernel)
    flat = nn.Conv2d(*sizes, 1, (0, padding), (1, dilation), bias=conv.bias is not None, device="meta")
    return _with_weights(flat, conv)


def _transposed(conv: nn.ConvTranspose1d) -> nn.ConvTranspose2d:
    kernel, stride, padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
    assert isinstance(padding, int)
    sizes = conv.in_channels, conv.out_channels, (1, kernel)
    return _with_weights(nn.ConvTranspose2d(*sizes, (1, stride), (0, padding), device="meta"), conv)


def _with_weights(flat: M, conv: nn.Conv1d | nn.ConvTranspose1d) -> M:
    flat.weight = nn.Parameter(conv.weight.detach().unsqueeze(2), requires_grad=False)
    if conv.bias is not None:
        flat.bias = nn.Parameter(conv.bias.detach(), requires_grad=False)
    return flat
