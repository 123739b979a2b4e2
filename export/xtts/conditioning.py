"""From a sample's mel to the latents that stand before every text: an encoder with attention, then a perceiver."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.seq2seq.attention import attend
from export.seq2seq.projection import Projection
from export.xtts.parts import typed
from export.xtts.settings import LATENTS

_BLOCKS = 6
_LAYERS = 2
_PERCEIVER_HEADS, _PERCEIVER_HEAD = 8, 64
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

    def products(self) -> tuple[Projection, Projection]:
        """Return both convolutions as products: queries, keys and values head by head become first all queries."""
        return self._regrouped(self.qkv), Projection(self.proj_out.weight[:, :, 0].T, self.proj_out.bias)

    def _regrouped(self, conv: nn.Conv1d) -> Projection:
        def regroup(rows: Tensor) -> Tensor:
            return rows.reshape(self.heads, 3, -1, *rows.shape[1:]).transpose(0, 1).flatten(0, 2)

        assert conv.bias is not None
        return Projection(regroup(conv.weight[:, :, 0]).T, regroup(conv.bias))


class ConditioningEncoder(nn.Module):
    """Its tensors; `ConditioningGraph` computes with them."""

    def __init__(self, bands: int, width: int, heads: int) -> None:
        super().__init__()
        self.init = nn.Conv1d(bands, width, 1)
        self.attn = nn.ModuleList([AttentionBlock(width, heads) for _ in range(_BLOCKS)])


class PerceiverAttention(nn.Module):
    """The latents attend to themselves and to what was heard; no biases."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = _PERCEIVER_HEADS * _PERCEIVER_HEAD
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_kv = nn.Linear(width, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)


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
    """Its tensors; `ConditioningGraph` computes with them."""

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


class _EncoderBlock(nn.Module):
    def __init__(self, block: AttentionBlock) -> None:
        super().__init__()
        self.heads, self.norm = block.heads, block.norm
        self.into, self.back = block.products()

    def forward(self, x: Tensor) -> Tensor:
        """[B, width, frames] -> [B, width, frames]."""
        normed = self.norm(x)
        query, key, value = self.into.split(normed.transpose(1, 2), 3)
        found = self.back(attend(query, key, value, None, self.heads))
        y: Tensor = normed + found.transpose(1, 2)
        return y


class _PerceiverLayer(nn.Module):
    def __init__(self, attention: PerceiverAttention, feed_forward: nn.Module) -> None:
        super().__init__()
        self.query, self.key_value = Projection.of(attention.to_q), Projection.of(attention.to_kv)
        self.out = Projection.of(attention.to_out)
        self.feed_forward = feed_forward

    def forward(self, latents: Tensor, heard: Tensor) -> Tensor:
        """[B, LATENTS, width], [B, frames, width] -> [B, LATENTS, width]."""
        key, value = self.key_value.split(torch.cat([latents, heard], dim=1), 2)
        latents = latents + self.out(attend(self.query(latents), key, value, None, _PERCEIVER_HEADS))
        y: Tensor = latents + self.feed_forward(latents)
        return y


class ConditioningGraph(nn.Module):
    """mel [B, 80, frames], natural logarithm of the power, not yet divided by mel_stats -> latents [B, 32, width]."""

    def __init__(self, encoder: ConditioningEncoder, perceiver: Perceiver, mel_stats: Tensor) -> None:
        super().__init__()
        self.first = Projection((encoder.init.weight[:, :, 0] / mel_stats).T, encoder.init.bias)
        self.blocks = nn.ModuleList([_EncoderBlock(block) for block in typed(encoder.attn, AttentionBlock)])
        self.seeds, self.norm = perceiver.latents, perceiver.norm  # `latents` is what the graph calls its output
        self.layers = nn.ModuleList()
        for attention, feed_forward in typed(perceiver.layers, nn.ModuleList):
            assert isinstance(attention, PerceiverAttention)
            self.layers.append(_PerceiverLayer(attention, feed_forward))

    def forward(self, mel: Tensor) -> tuple[Tensor]:
        """Encode, and gather what was heard in the latents."""
        x = self.first(mel.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        heard = x.transpose(1, 2)
        latents = self.seeds.unsqueeze(0).expand(mel.shape[0], -1, -1)
        for layer in self.layers:
            latents = layer(latents, heard)
        return (self.norm(latents),)
