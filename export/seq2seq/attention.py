"""Attention as the served graphs have it. In a traced graph each attention is one node of ONNX Runtime's own
(com.microsoft MultiHeadAttention: with a cache inside, and without a matrix of all scores where it can do without);
run in PyTorch the same modules compute it step by step.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from export.seq2seq.projection import Projection

HIDDEN = -1e4
"""Added to the score of what may not be looked at: exp() of it is 0, and half precision can hold it. Not -infinity:
a row of padding in which nothing may be looked at would become NaN."""
_MULTI_HEAD = "com.microsoft::MultiHeadAttention"


def causal_bias(mask: Tensor, new: Tensor) -> Tensor:
    """Return what is added to the scores of self-attention: 0, or HIDDEN for what is padding or comes later.

    Args:
        mask: int64 [R, P + T], 1 = may be looked at.
        new: any tensor [R, T, ...] of the new tokens; only its size counts.

    Returns:
        fp32 [R, 1, T, P + T].
    """
    total, count = mask.shape[1], new.shape[1]
    last = torch.arange(count).unsqueeze(1) + (total - count)
    visible = (torch.arange(total).unsqueeze(0) <= last).unsqueeze(0) & (mask != 0).unsqueeze(1)
    return torch.where(visible, 0.0, HIDDEN).to(torch.float32).unsqueeze(1)


def padding_bias(mask: Tensor) -> Tensor:
    """Return what is added to the scores over a padded source: int64 [B, S] -> fp32 [B, 1, 1, S]."""
    return torch.where(mask != 0, 0.0, HIDDEN).to(torch.float32).unsqueeze(1).unsqueeze(1)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[n, t, heads * size] -> [n, heads, t, size]."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """[n, heads, t, size] -> [n, t, heads * size]."""
    return x.transpose(1, 2).flatten(2)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, heads: int) -> Tensor:
    """Attend without a cache.

    Args:
        query: [n, t, width], not scaled yet: scores are divided by the root of the heads' size.
        key, value: [n, s, width], or already split, [n, heads, s, width / heads].
        bias: added to the scores, [n or 1, heads or 1, t or 1, s].

    Returns:
        [n, t, width].
    """
    if torch.onnx.is_in_onnx_export():
        if bias is not None:
            bias = bias.expand(-1, -1, query.shape[1], -1)
        inputs = [query, key, value, None, None, bias]
        return torch.onnx.ops.symbolic(
            _MULTI_HEAD, inputs, {"num_heads": heads}, dtype=query.dtype, shape=query.shape, version=1
        )
    if key.dim() == 3:
        key, value = split_heads(key, heads), split_heads(value, heads)
    return merge_heads(_attend(split_heads(query, heads), key, value, bias))


def attend_cached(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, past_key: Tensor, past_value: Tensor, heads: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Attend to the past and the new tokens.

    Args:
        query, key, value: of the new tokens, [R, T, width].
        bias: [R, 1, T, P + T].
        past_key, past_value: [R, heads, P, width / heads].

    Returns:
        [R, T, width]; key and value of past and new tokens, [R, heads, P + T, width / heads].
    """
    if torch.onnx.is_in_onnx_export():
        rows, _, past, size = past_key.shape
        present = (rows, heads, past + query.shape[1], size)
        y, present_key, present_value = torch.onnx.ops.symbolic_multi_out(
            _MULTI_HEAD,
            [query, key, value, None, None, bias, past_key, past_value],
            {"num_heads": heads},
            dtypes=[query.dtype] * 3,
            shapes=[query.shape, present, present],
            version=1,
        )
        return y, present_key, present_value
    keys = torch.cat([past_key, split_heads(key, heads)], dim=2)
    values = torch.cat([past_value, split_heads(value, heads)], dim=2)
    return merge_heads(_attend(split_heads(query, heads), keys, values, bias)), keys, values


class SelfAttention(nn.Module):
    """Self-attention whose query, key and value are one product."""

    def __init__(self, query: nn.Linear, key: nn.Linear, value: nn.Linear, out: nn.Linear, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = Projection.of(query, key, value)
        self.out = Projection.of(out)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Without a cache, as encoders attend: x [n, t, width], `bias` as in `attend`."""
        query, key, value = self.query_key_value.split(x, 3)
        y: Tensor = self.out(attend(query, key, value, bias, self.heads))
        return y

    def cached(self, x: Tensor, bias: Tensor, past_key: Tensor, past_value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """With a cache, as decoders attend: x [R, T, width]; returns y, present_key, present_value."""
        query, key, value = self.query_key_value.split(x, 3)
        y, keys, values = attend_cached(query, key, value, bias, past_key, past_value, self.heads)
        return self.out(y), keys, values


class CrossAttention(nn.Module):
    """Attention to a source's keys and values, which the encoder's graph has projected already.

    The beams of a source stand side by side in the rows; they are folded into the query's axis, so keys and values
    are never copied for them.
    """

    def __init__(self, query: nn.Linear, out: nn.Linear, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Projection.of(query)
        self.out = Projection.of(out)

    def forward(self, x: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
        """Attend: x [R, T, width], key and value [B, heads, S, size], `bias` [B, 1, 1, S] -> [R, T, width]."""
        query = self.query(x)
        folded = query.reshape(key.shape[0], -1, query.shape[2])
        y: Tensor = self.out(attend(folded, key, value, bias, self.heads).reshape(query.shape))
        return y


class CrossKeysValues(nn.Module):
    """Projects the encoder's last layer to the keys and values of all decoder layers, split into heads."""

    def __init__(self, layers: Sequence[tuple[nn.Linear, nn.Linear]], heads: int) -> None:
        """`layers`: the key's and the value's projection of every decoder layer."""
        super().__init__()
        self.heads = heads
        self.layers = nn.ModuleList([Projection.of(key, value) for key, value in layers])

    def forward(self, encoded: Tensor) -> tuple[Tensor, ...]:
        """[B, S, width] -> key 0, value 0, key 1, value 1 ..., each [B, heads, S, size]."""
        found: list[Tensor] = []
        for layer in self.layers:
            assert isinstance(layer, Projection)
            found += [split_heads(part, self.heads).contiguous() for part in layer.split(encoded, 2)]
        return tuple(found)


def _attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    scores = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + bias
    return torch.softmax(scores, dim=-1) @ value
