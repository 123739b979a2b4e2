"""The generator network, with the published checkpoints' key names.

Two encoders and a decoder (paper, section 3.3.1): the face encoder halves the picture five times, the audio encoder
brings the mel down to one column, the decoder grows the face from the audio and reads the face encoder's stage of equal
size before each step. Every width is a multiple of a sixteenth of the published one, so `unit`, the channels of the
first layer, describes a network: 16 is the published one, fewer are test checkpoints.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PUBLISHED_UNIT = 16
FACE_SIZE_PX = 96
MELS, MEL_STEPS = 80, 16

_SPATIAL = {"kernel_size": 3, "padding": 1}
_TO_POINT = {"kernel_size": 3, "padding": 0}
_POINT = {"kernel_size": 1, "padding": 0}
_DOUBLE = {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}


class ConvBlock(nn.Module):
    """Convolution, batch norm, the input added when `residual`, ReLU."""

    def __init__(self, conv: nn.Module, channels: int, *, residual: bool = False) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(conv, nn.BatchNorm2d(channels))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """Keep the channels when residual."""
        y = self.conv_block(x)
        return torch.relu(y + x if self.residual else y)


class Wav2Lip(nn.Module):
    """The generator of the paper's figure 2."""

    def __init__(self, unit: int = PUBLISHED_UNIT) -> None:
        super().__init__()
        c1, c2, c4, c8, c16, c32 = (unit * factor for factor in (1, 2, 4, 8, 16, 32))
        self.face_encoder_blocks = nn.ModuleList(
            [
                nn.Sequential(_conv(6, c1, kernel_size=7, padding=3)),  # 96 x 96
                nn.Sequential(_halve(c1, c2), *_refine(c2, 2)),  # 48
                nn.Sequential(_halve(c2, c4), *_refine(c4, 3)),  # 24
                nn.Sequential(_halve(c4, c8), *_refine(c8, 2)),  # 12
                nn.Sequential(_halve(c8, c16), *_refine(c16, 2)),  # 6
                nn.Sequential(_halve(c16, c32), *_refine(c32, 1)),  # 3
                nn.Sequential(_conv(c32, c32, **_TO_POINT), _conv(c32, c32, **_POINT)),  # 1
            ]
        )
        self.audio_encoder = nn.Sequential(
            _conv(1, c2, **_SPATIAL), *_refine(c2, 2),  # 80 x 16
            _conv(c2, c4, **_SPATIAL, stride=(3, 1)), *_refine(c4, 2),  # 27 x 16
            _conv(c4, c8, **_SPATIAL, stride=3), *_refine(c8, 2),  # 9 x 6
            _conv(c8, c16, **_SPATIAL, stride=(3, 2)), *_refine(c16, 1),  # 3 x 3
            _conv(c16, c32, **_TO_POINT), _conv(c32, c32, **_POINT),  # 1 x 1
        )  # fmt: skip
        self.face_decoder_blocks = nn.ModuleList(
            [
                nn.Sequential(_conv(c32, c32, **_POINT)),  # 1
                nn.Sequential(_grow(c32 + c32, c32, **_TO_POINT), *_refine(c32, 1)),  # 3
                nn.Sequential(_grow(c32 + c32, c32, **_DOUBLE), *_refine(c32, 2)),  # 6
                nn.Sequential(_grow(c32 + c16, c16 + c8, **_DOUBLE), *_refine(c16 + c8, 2)),  # 12
                nn.Sequential(_grow(c16 + c8 + c8, c16, **_DOUBLE), *_refine(c16, 2)),  # 24
                nn.Sequential(_grow(c16 + c4, c8, **_DOUBLE), *_refine(c8, 2)),  # 48
                nn.Sequential(_grow(c8 + c2, c4, **_DOUBLE), *_refine(c4, 2)),  # 96
            ]
        )
        self.output_block = nn.Sequential(_conv(c4 + c1, c2, **_SPATIAL), nn.Conv2d(c2, 3, 1), nn.Sigmoid())

    def forward(self, mel: Tensor, faces: Tensor) -> Tensor:
        """Generate the faces.

        Args:
            mel: [n, 1, 80, 16], -4..4.
            faces: [n, 6, 96, 96], 0..1: the face with its lower half black (blue, green, red), then the whole face.

        Returns:
            [n, 3, 96, 96], 0..1, blue, green, red.
        """
        stages = []
        for encode in self.face_encoder_blocks:
            faces = encode(faces)
            stages.append(faces)
        x = self.audio_encoder(mel)
        for decode, stage in zip(self.face_decoder_blocks, reversed(stages), strict=True):
            x = torch.cat([decode(x), stage], dim=1)
        generated: Tensor = self.output_block(x)
        return generated


def _conv(inputs: int, outputs: int, *, kernel_size: int, padding: int, stride: int | Sequence[int] = 1) -> ConvBlock:
    strides = (stride, stride) if isinstance(stride, int) else (stride[0], stride[1])
    return ConvBlock(nn.Conv2d(inputs, outputs, kernel_size, strides, padding), outputs)


def _halve(inputs: int, outputs: int) -> ConvBlock:
    return _conv(inputs, outputs, **_SPATIAL, stride=2)


def _refine(channels: int, count: int) -> list[ConvBlock]:
    return [ConvBlock(nn.Conv2d(channels, channels, 3, 1, 1), channels, residual=True) for _ in range(count)]


def _grow(
    inputs: int, outputs: int, *, kernel_size: int, padding: int, stride: int = 1, output_padding: int = 0
) -> ConvBlock:
    return ConvBlock(nn.ConvTranspose2d(inputs, outputs, kernel_size, stride, padding, output_padding), outputs)
