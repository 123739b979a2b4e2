"""The network: a small transformer that reads from left to right and tells at every token whether a sentence ends."""

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.sentence_boundary.tokens import TOKENISER

WIDTH, LAYERS, HEADS, INNER = 128, 3, 4, 384
DROPOUT = 0.1


class Block(nn.Module):
    """Attention to what came before, then two dense layers; both after a normalisation, both added."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.before_dense = nn.LayerNorm(width)
        self.dense = nn.Sequential(nn.Linear(width, inner), nn.GELU(approximate="tanh"), nn.Linear(inner, width))
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, seen: Tensor) -> Tensor:
        """[n, tokens, width] -> the same."""
        count, tokens, width = seen.shape
        parts = self.query_key_value(self.before_attention(seen)).reshape(count, tokens, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        seen = seen + self.drop(self.mixed(found.transpose(1, 2).reshape(count, tokens, width)))
        added: Tensor = self.drop(self.dense(self.before_dense(seen)))
        return seen + added


class BoundaryNetwork(nn.Module):
    """Tokens int64 [n, t, FEATURES] -> logits [n, t]: does a sentence end at this token?

    `slope` and `offset` are the calibration's (calibration.py), not learnt with the rest.
    """

    slope: Tensor
    offset: Tensor

    def __init__(self, width: int = WIDTH, layers: int = LAYERS, heads: int = HEADS, inner: int = INNER) -> None:
        super().__init__()
        self.words = nn.Embedding(TOKENISER.WORD_BUCKETS, width)
        self.endings = nn.Embedding(TOKENISER.ENDING_BUCKETS, width)
        self.shapes = nn.Embedding(TOKENISER.SHAPES, width)
        self.places = nn.Embedding(TOKENISER.TOKENS, width)
        for table in (self.words, self.endings, self.shapes, self.places):
            nn.init.normal_(table.weight, std=0.3)
        self.drop = nn.Dropout(DROPOUT)
        self.blocks = nn.ModuleList(Block(width, heads, inner) for _ in range(layers))
        self.last = nn.LayerNorm(width)
        self.answer = nn.Linear(width, 1)
        self.register_buffer("slope", torch.ones(()))
        self.register_buffer("offset", torch.zeros(()))

    @classmethod
    def of_size(cls, width: int) -> Self:
        """Make a network of this width, of as many layers and heads."""
        return cls(width, inner=width * INNER // WIDTH)

    def probability(self, logits: Tensor) -> Tensor:
        """Return the calibrated probability, 0..1."""
        scaled: Tensor = logits * self.slope + self.offset
        return torch.sigmoid(scaled)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return a logit for every token."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        first, second, ending, shape = tokens.unbind(-1)
        seen = self.words(first) + self.words(second) + self.endings(ending) + self.shapes(shape) + self.places(places)
        seen = self.drop(seen)
        for block in self.blocks:
            seen = block(seen)
        logits: Tensor = self.answer(self.last(seen))
        return logits.squeeze(-1)
