"""Layers of a transformer under the names that published folders give their tensors (transformers' models/whisper and
models/marian agree on them). They hold parameters; what is computed with them is each family's graph.
"""

from torch import nn


class Attention(nn.Module):
    """The four projections of one attention, [width, width] each."""

    def __init__(self, width: int, *, key_bias: bool = True) -> None:
        super().__init__()
        self.k_proj = nn.Linear(width, width, bias=key_bias)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)


class EncoderLayer(nn.Module):
    """Self-attention, then two linear layers."""

    def __init__(self, width: int, hidden: int, *, key_bias: bool = True) -> None:
        super().__init__()
        self.self_attn = Attention(width, key_bias=key_bias)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.final_layer_norm = nn.LayerNorm(width)


class DecoderLayer(EncoderLayer):
    """An encoder layer with attention to the encoder's states in between."""

    def __init__(self, width: int, hidden: int, *, key_bias: bool = True) -> None:
        super().__init__(width, hidden, key_bias=key_bias)
        self.encoder_attn = Attention(width, key_bias=key_bias)
        self.encoder_attn_layer_norm = nn.LayerNorm(width)
