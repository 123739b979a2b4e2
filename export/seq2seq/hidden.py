"""What a reference's decoder layers make of the encoder's last layer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from export.seq2seq.attention import split_heads
from export.signature import Tensors


def project(hidden: Tensor, layers: Sequence[tuple[nn.Module, nn.Module]], heads: int) -> Tensors:
    """Return cross_key_i, cross_value_i [B, heads, S, head_dim] of [B, S, width]; `layers`: key's and value's."""
    with torch.no_grad():
        return {
            f"cross_{kind}_{index}": split_heads(part(hidden), heads).contiguous().numpy()
            for index, pair in enumerate(layers)
            for kind, part in zip(("key", "value"), pair, strict=True)
        }
