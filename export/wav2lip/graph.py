"""The served graph: the network with everything around it that is arithmetic, so that only bytes travel."""

import torch
from torch import Tensor, nn

from export.fold import fold_batch_norms
from export.wav2lip.network import FACE_SIZE_PX, Wav2Lip

_WHITE = 255.0


class Wav2LipGraph(nn.Module):
    """FACES uint8 [n, 96, 96, 3] RGB, MEL float32 [n, 80, 16] -> MOVED uint8 [n, 96, 96, 3] RGB, and it as floats.

    The published weights know blue, green, red (OpenCV's order, which the published code never changes): here the
    channels of the first and the last layer are exchanged instead, so the graph reads and writes RGB at no cost.
    """

    mask: Tensor

    def __init__(self, network: Wav2Lip) -> None:
        super().__init__()
        self.network = fold_batch_norms(network)
        _exchange_red_and_blue(self.network)
        mask = torch.ones(1, FACE_SIZE_PX, 1, 1)
        mask[:, FACE_SIZE_PX // 2 :] = 0.0  # the mouth is what the network shall draw
        self.register_buffer("mask", mask)

    def forward(self, faces: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Return the moved faces, and the same as float32 0..1 before they are quantised."""
        whole = faces.to(torch.float32) / _WHITE
        pictures = torch.cat([whole * self.mask, whole], dim=3).permute(0, 3, 1, 2)
        moved = self.network(mel.unsqueeze(1), pictures).permute(0, 2, 3, 1)
        # Cut off, not rounded, as the published code's astype(uint8) does.
        return torch.floor(moved * _WHITE).clamp(0.0, _WHITE).to(torch.uint8), moved


def _exchange_red_and_blue(network: Wav2Lip) -> None:
    first = network.face_encoder_blocks[0][0].conv_block[0]  # type: ignore[index]  # ModuleList of Sequential
    last = network.output_block[1]
    assert isinstance(first, nn.Conv2d)
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    with torch.no_grad():
        first.weight.copy_(first.weight[:, [2, 1, 0, 5, 4, 3]])
        last.weight.copy_(last.weight.flip(0))
        last.bias.copy_(last.bias.flip(0))
