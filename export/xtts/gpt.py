"""GPT-2's blocks (transformers' models/gpt2), whose position table XTTS does without."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.seq2seq.attention import merge_heads, split_heads


class Product(nn.Module):
    """A linear layer whose weights lie as [inputs, outputs]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        return x @ self.weight + self.bias


class Attention(nn.Module):
    """The two products of one self-attention: to queries, keys and values of all heads, and back."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = Product(width, 3 * width)
        self.c_proj = Product(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[R, T, width] -> [R, T, width], causal."""
        query, key, value = (split_heads(part, self.heads) for part in self.c_attn(x).chunk(3, dim=-1))
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        y: Tensor = self.c_proj(merge_heads(attended))
        return y


class FeedForward(nn.Module):
    """Two products with GELU in its tanh form between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = Product(width, 4 * width)
        self.c_proj = Product(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[R, T, width] -> [R, T, width]."""
        y: Tensor = self.c_proj(functional.gelu(self.c_fc(x), approximate="tanh"))
        return y


class Block(nn.Module):
    """Attention and feed-forward, each after a layer norm, each added."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        """[R, T, width] -> [R, T, width]."""
        x = x + self.attn(self.ln_1(x))
        y: Tensor = x + self.mlp(self.ln_2(x))
        return y


class Blocks(nn.Module):
    """All blocks and the norm after them."""

    def __init__(self, layers: int, width: int, heads: int) -> None:
        super().__init__()
        self.h = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.ln_f = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """[R, T, width] -> [R, T, width], causal."""
        for block in self.h:
            x = block(x)
        y: Tensor = self.ln_f(x)
        return y
