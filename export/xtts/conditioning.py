"""From a sample's mel to the latents that stand before every text: an encoder with attention, then a perceiver."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.seq2seq.attention import merge_heads, split_heads
from export.xtts.parts import typed
from export.xtts.settings import LATENTS

_BLOCKS = 6
_LAYERS = 2
PERCEIVER_HEADS, _PERCEIVER_HEAD = 8, 64
_GROUPS = 32


def _groups(channels: int) -> int:
    """Return how many groups of channels are normed together: 32, of few channels fewer, so that they come out even."""
    groups = 8 if channels <= 16 else 16 if channels <= 64 else _GROUPS
    while channels % groups:
        groups //= 2
    return groups


class AttentionBlock(nn.Module):
    """Self-attention over frames. What it finds is added to the normed input, not to the input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(_groups(width), width)
        self.qkv = nn.Conv1d(width, 3 * width, 1)
        self.proj_out = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, width, frames] -> the same. Queries, keys and values come head by head."""
        normed = self.norm(x)
        query, key, value = self.qkv(normed).unflatten(1, (self.heads, 3, -1)).transpose(3, 4).unbind(2)
        found = functional.scaled_dot_product_attention(query, key, value).transpose(2, 3).flatten(1, 2)
        y: Tensor = normed + self.proj_out(found)
        return y


class ConditioningEncoder(nn.Module):
    """What is heard in each frame: mel [B, 80, frames], divided by mel_stats -> [B, width, frames]."""

    def __init__(self, bands: int, width: int, heads: int) -> None:
        super().__init__()
        self.init = nn.Conv1d(bands, width, 1)
        self.attn = nn.Sequential(*(AttentionBlock(width, heads) for _ in range(_BLOCKS)))

    def forward(self, mel: Tensor) -> Tensor:
        """Attend to all frames, block by block."""
        y: Tensor = self.attn(self.init(mel))
        return y


class PerceiverAttention(nn.Module):
    """The latents attend to themselves and to what was heard; no biases."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = PERCEIVER_HEADS * _PERCEIVER_HEAD
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_kv = nn.Linear(width, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)

    def forward(self, latents: Tensor, heard: Tensor) -> Tensor:
        """[B, LATENTS, width], [B, frames, width] -> [B, LATENTS, width]."""
        query = split_heads(self.to_q(latents), PERCEIVER_HEADS)
        parts = self.to_kv(torch.cat([latents, heard], dim=1)).chunk(2, dim=-1)
        key, value = (split_heads(part, PERCEIVER_HEADS) for part in parts)
        y: Tensor = self.to_out(merge_heads(functional.scaled_dot_product_attention(query, key, value)))
        return y


class Gate(nn.Module):
    """Half of the numbers, times GELU of the other half."""

    def forward(self, x: Tensor) -> Tensor:
        """[..., 2 n] -> [..., n]."""
        values, gates = x.chunk(2, dim=-1)
        return values * functional.gelu(gates)


class RootMeanSquareNorm(nn.Module):
    """Vectors get the length of the root of their size, then each number a factor of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] -> [..., width]."""
        y: Tensor = functional.normalize(x, dim=-1) * (self.gamma.shape[0] ** 0.5 * self.gamma)
        return y


class Perceiver(nn.Module):
    """Gathers what was heard in the latents: [B, frames, width] -> [B, LATENTS, width]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = int(width * 4 * 2 / 3)
        self.latents = nn.Parameter(torch.zeros(LATENTS, width))
        self.layers = nn.ModuleList(
            [
                nn.ModuleList(
                    [
                        PerceiverAttention(width),
                        nn.Sequential(nn.Linear(width, 2 * inner), Gate(), nn.Linear(inner, width)),
                    ]
                )
                for _ in range(_LAYERS)
            ]
        )
        self.norm = RootMeanSquareNorm(width)

    def forward(self, heard: Tensor) -> Tensor:
        """Two layers, then the norm."""
        latents = self.latents.unsqueeze(0).expand(heard.shape[0], -1, -1)
        for attention, feed_forward in typed(self.layers, nn.ModuleList):
            latents = latents + attention(latents, heard)
            latents = latents + feed_forward(latents)
        y: Tensor = self.norm(latents)
        return y
