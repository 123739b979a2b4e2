"""Folds batch norms into the convolutions before them: the same function with fewer operations."""

from copy import deepcopy
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

M = TypeVar("M", bound=nn.Module)


def fold_batch_norms(module: M) -> M:
    """Return a copy (in eval) in which no batch norm follows a convolution in a Sequential; weights carry its work."""
    folded = deepcopy(module).eval()
    for part in list(folded.modules()):
        if isinstance(part, nn.Sequential):
            _fold_sequence(part)
    return folded


def _fold_sequence(sequence: nn.Sequential) -> None:
    for index in range(len(sequence) - 1):
        conv, norm = sequence[index], sequence[index + 1]
        if isinstance(conv, nn.Conv2d | nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
            sequence[index] = fuse_conv_bn_eval(conv, norm, transpose=isinstance(conv, nn.ConvTranspose2d))
            sequence[index + 1] = nn.Identity()
