"""Random checkpoints in the published format: what holds for them at full size holds for the real file.

A network of raw random weights would say "face" everywhere or nowhere. So the heads are scaled on one random picture:
their outputs vary like those of a trained detector, and about one anchor in a hundred is taken for a face.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.s3fd.graph import ServedS3fd
from export.s3fd.network import LEVELS, S3fd

_SIDE_PX = 256
_FACE_SHARE = 0.01
_LOGIT_SPREAD = 1.0
_PIXEL_RMS = 74.0
"""Root mean square of uniform bytes around their mean; the first layer is scaled by it."""


def synthesise(width: int, seed: int) -> dict[str, Tensor]:
    """Return a bare FP32 state dict with the published keys; `width` 64 is the published size."""
    if width < 1:
        raise ValueError(f"the width must be at least 1, it is {width}")
    generator = torch.Generator().manual_seed(seed)
    network = S3fd(width).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
                nn.init.normal_(module.bias, std=0.1, generator=generator)  # type: ignore[arg-type]  # has a bias
        first = network.layer("conv1_1")
        assert isinstance(first, nn.Conv2d)
        first.weight /= _PIXEL_RMS
        pixels = ServedS3fd(network).pixels(random_picture(_SIDE_PX, _SIDE_PX, generator)[None])
        for level, features in zip(LEVELS, network.features(pixels), strict=True):
            _scale_heads(network, level, features)
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def random_picture(height_px: int, width_px: int, generator: torch.Generator) -> Tensor:
    """Return RGB bytes [height, width, 3]: smooth blobs of several sizes under a little noise, as pictures are."""
    picture = torch.zeros(1, 3, height_px, width_px)
    for cells in (3, 9, 27):
        coarse = torch.randn(1, 3, cells, cells, generator=generator)
        picture += functional.interpolate(coarse, (height_px, width_px), mode="bilinear", align_corners=False)
    picture += 0.2 * torch.randn(picture.shape, generator=generator)
    return (picture * 40 + 127).clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0)


def _scale_heads(network: S3fd, level: str, features: Tensor) -> None:
    """Give every channel of the level's heads mean 0 and a spread, then lower the face's logit to its share."""
    _standardise(network.layer(f"{level}_mbox_loc"), features, 1.0)
    confidence = network.layer(f"{level}_mbox_conf")
    assert isinstance(confidence, nn.Conv2d)
    assert confidence.bias is not None
    _standardise(confidence, features, _LOGIT_SPREAD)
    labels = confidence(features)
    margin = labels[:, -1] - labels[:, :-1].amax(dim=1)
    confidence.bias[-1] -= _coarse(torch.quantile(margin, 1 - _FACE_SHARE))


def _standardise(head: nn.Module, features: Tensor, spread: float) -> None:
    assert isinstance(head, nn.Conv2d)
    assert head.bias is not None
    found = head(features)
    scale = _coarse(spread / found.std(dim=(0, 2, 3)).clamp(min=1e-3))
    head.weight *= scale.view(-1, 1, 1, 1)
    head.bias.copy_((head.bias - _coarse(found.mean(dim=(0, 2, 3)))) * scale)


def _coarse(measured: Tensor) -> Tensor:
    """Round to 1/64: the last bits of a measurement depend on the number of threads; the seed alone shall decide."""
    return (measured * 64).round() / 64
