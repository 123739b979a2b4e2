"""A model family that is traced in a moment: one convolution on small pictures, weights nested as published ones."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from export.checkpoint import load_strict
from export.family import Family
from export.parity import EXACT_FLOAT, EXACT_PICTURE, REDUCED_PICTURE, Limit
from export.signature import Signature, Tensor, Tensors

PICTURE = (12, 14, 3)


class _Served(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        moved = self.network((pictures.to(torch.float32) / 255.0).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return torch.floor(moved * 255.0).to(torch.uint8), moved


class TinyFamily(Family):
    name = "tiny"
    triton_model = "tiny_model"
    licence = "Do as you like."
    source = "made up"
    published_files = ("tiny.pth",)
    precisions = ("fp32", "fp16", "coarse")
    signature = Signature((Tensor("PICTURES", "UINT8", PICTURE),), (Tensor("MOVED", "UINT8", PICTURE),))
    probes = (Tensor("MOVED_FLOAT", "FP32", PICTURE),)
    batch_sizes = (1, 3)
    reduced_width = 1.0

    def synth(self, seed: int, width: float) -> dict[str, object]:
        if width != 1.0:
            raise ValueError("width must be 1")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return {"state_dict": {f"module.{key}": value for key, value in _network().state_dict().items()}}

    def load(self, state: Mapping[str, torch.Tensor]) -> nn.Module:
        return load_strict(_network(), state)

    def graph(self, module: nn.Module) -> nn.Module:
        return _Served(module)

    def samples(self, rng: np.random.Generator, batch: int) -> Tensors:
        return {"PICTURES": rng.integers(0, 256, (batch, *PICTURE), np.uint8)}

    def reference(self, module: nn.Module, inputs: Tensors) -> Tensors:
        pictures = inputs["PICTURES"].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
        with torch.no_grad():
            moved = module(torch.from_numpy(pictures)).numpy().transpose(0, 2, 3, 1)
        return {"MOVED": (moved * 255).astype(np.uint8), "MOVED_FLOAT": np.ascontiguousarray(moved)}

    def limits(self, precision: str) -> Mapping[str, Limit]:
        if precision == "fp32":
            return {"MOVED": EXACT_PICTURE, "MOVED_FLOAT": EXACT_FLOAT}
        return {"MOVED": REDUCED_PICTURE}


def _network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Sigmoid())


FAMILY = TinyFamily()
