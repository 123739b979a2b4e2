"""Linear layers as graphs like them: weights [inputs, outputs], so that one MatMul with a constant is all there is."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Projection(nn.Module):
    """x @ weight + bias. Quantisers look for a MatMul whose second input is a constant: a Transpose would hide it."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """`weight` [inputs, outputs], `bias` [outputs] fp32; shared, not copied, where they are contiguous."""
        super().__init__()
        self.weight = nn.Parameter(weight.detach().to(torch.float32).contiguous(), requires_grad=False)
        self.bias = None
        if bias is not None:
            self.bias = nn.Parameter(bias.detach().to(torch.float32).contiguous(), requires_grad=False)

    @classmethod
    def of(cls, *layers: nn.Linear) -> "Projection":
        """Put linear layers of one input side by side: one product instead of several. A missing bias is zero."""
        weight = torch.cat([layer.weight for layer in layers]).T
        if all(layer.bias is None for layer in layers):
            return cls(weight)
        return cls(weight, torch.cat([_bias(layer) for layer in layers]))

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        y = torch.matmul(x, self.weight)
        return y if self.bias is None else y + self.bias

    def split(self, x: Tensor, parts: int) -> Sequence[Tensor]:
        """Project, and return equal parts of the last axis."""
        return torch.chunk(self.forward(x), parts, dim=-1)


def _bias(layer: nn.Linear) -> Tensor:
    return torch.zeros(layer.out_features) if layer.bias is None else layer.bias
