"""Random weights in the published format, for tests and measurements where the published file is out of reach."""

import torch
from torch import nn

from export.wav2lip.network import FACE_SIZE_PX, MEL_STEPS, MELS, ConvBlock, Wav2Lip

_CALIBRATION_ITEMS = 16
_LOGIT_SPREAD = 0.5
"""Standard deviation wanted before the sigmoid: pictures with contrast (30 of 255), few values at the ends."""
_MEAN_SHIFT = 1.0
"""Mean of a unit's input in its own standard deviations: most units are on, as it is in trained networks."""
_RESIDUAL_GAIN = 0.3
"""Of the branch that is added to what a block was given."""


def synthesise(seed: int, unit: int) -> dict[str, torch.Tensor]:
    """Make the state dict of a network whose activations neither die nor explode.

    He initialisation; each batch norm's mean and variance are those that 16 random inputs give, so every layer's output
    varies about as much as a trained network's does, and differences in any layer reach the picture. They reach it
    without growing: with plain batch norms a random ReLU network is chaotic (Yang et al. 2019, "A Mean Field Theory of
    Batch Normalization": differences grow with every layer, until bfloat16's rounding is 5 of 255 here), which no
    trained network is, and no reduced precision could be judged on it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Wav2Lip(unit)
        for module in network.modules():
            _initialise(module)
        for module in network.modules():
            if isinstance(module, ConvBlock):
                _calm(module)
        mel = torch.rand(_CALIBRATION_ITEMS, 1, MELS, MEL_STEPS) * 8 - 4
        faces = torch.rand(_CALIBRATION_ITEMS, 6, FACE_SIZE_PX, FACE_SIZE_PX)
        with torch.no_grad():
            network.train()(mel, faces)  # train: the batch norms take up the statistics
            _spread_logits(network.eval(), mel, faces)
    return network.state_dict()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        # Of a transposed convolution the first axis is the input's: fan_out is what He means there.
        transposed = isinstance(module, nn.ConvTranspose2d)
        nn.init.kaiming_normal_(module.weight, mode="fan_out" if transposed else "fan_in", nonlinearity="relu")
        if module.bias is not None:
            nn.init.normal_(module.bias, std=0.05)
    if isinstance(module, nn.BatchNorm2d):
        nn.init.uniform_(module.weight, 0.8, 1.2)
        nn.init.normal_(module.bias, std=0.1)
        module.momentum = None  # the plain mean of what was seen: here, of one pass


def _calm(block: ConvBlock) -> None:
    norm = block.conv_block[1]
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        if block.residual:
            norm.weight.mul_(_RESIDUAL_GAIN)
            norm.bias.mul_(_RESIDUAL_GAIN)
        else:
            norm.bias.add_(_MEAN_SHIFT)


def _spread_logits(network: Wav2Lip, mel: torch.Tensor, faces: torch.Tensor) -> None:
    """Scale and shift the last layer so that each channel's logits have mean 0 and the spread wanted."""
    pictures = network(mel, faces)
    logits = torch.logit(pictures, eps=1e-6)
    last = network.output_block[1]
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    factor = _LOGIT_SPREAD / logits.std(dim=(0, 2, 3))
    last.bias.copy_((last.bias - logits.mean(dim=(0, 2, 3))) * factor)
    last.weight.mul_(factor.reshape(-1, 1, 1, 1))
