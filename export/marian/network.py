"""Marian's network: its parameters under their published names. What is computed with them is graph.py.

An encoder and a decoder of transformer layers that normalise after each part (post-norm), fixed sinusoidal positions,
one embedding for source, target and the last projection. Source: Junczys-Dowmunt et al. 2018, Marian: Fast Neural
Machine Translation in C++; names as transformers' models/marian/modeling_marian.py has them.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from export.checkpoint import load_strict
from export.errors import KeysMismatch
from export.marian.settings import MarianSettings
from export.seq2seq.layers import DecoderLayer, EncoderLayer

SHARED = "model.shared.weight"
_ALIASES = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")
"""Further names of the shared embedding: a file has some of them, all or none."""
POSITIONS = ("model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight")
"""Computable, so newer files leave them out."""
BIAS = "final_logits_bias"


class Half(nn.Module):
    """The encoder or the decoder: positions and layers."""

    def __init__(self, positions: int, width: int, layers: list[EncoderLayer]) -> None:
        super().__init__()
        self.embed_positions = nn.Embedding(positions, width)
        self.layers = nn.ModuleList(layers)


class Body(nn.Module):
    """Everything but the bias of the logits."""

    def __init__(self, settings: MarianSettings) -> None:
        super().__init__()
        width, positions = settings.width, settings.max_positions
        self.shared = nn.Embedding(settings.vocab_size, width)
        encoder: list[EncoderLayer] = [
            EncoderLayer(width, settings.encoder_hidden) for _ in range(settings.encoder_layers)
        ]
        decoder: list[EncoderLayer] = [
            DecoderLayer(width, settings.decoder_hidden) for _ in range(settings.decoder_layers)
        ]
        self.encoder = Half(positions, width, encoder)
        self.decoder = Half(positions, width, decoder)


class Marian(nn.Module):
    """The published state dict, each tensor once."""

    final_logits_bias: Tensor

    def __init__(self, settings: MarianSettings) -> None:
        super().__init__()
        self.settings = settings
        self.model = Body(settings)
        self.register_buffer(BIAS, torch.zeros(1, settings.vocab_size))


def load_network(settings: MarianSettings, state: Mapping[str, Tensor]) -> Marian:
    """Build the network and load it strictly; KeysMismatch names what is missing, too much or of another shape."""
    with torch.device("meta"):
        shapes = Marian(settings).state_dict()
    network = Marian(settings)
    load_strict(network, _each_once(settings, state, shapes))
    return network.requires_grad_(False)


def sinusoids(positions: int, width: int) -> Tensor:
    """Return the positions' table [positions, width] fp32: all sines, then all cosines (published layout).

    Column pair k has the period 2 pi * 10000 ** (2 k / width); computed in float64 and rounded once.
    """
    angles = torch.arange(positions, dtype=torch.float64)[:, None] / torch.pow(
        torch.tensor(10000.0, dtype=torch.float64), 2 * torch.arange((width + 1) // 2, dtype=torch.float64) / width
    )
    return torch.cat([angles.sin(), angles[:, : width // 2].cos()], dim=1).to(torch.float32)


def _each_once(
    settings: MarianSettings, state: Mapping[str, Tensor], shapes: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Leave out further names of the shared embedding, and put in what files may leave out."""
    found = dict(state)
    for alias in _ALIASES:
        tensor = found.pop(alias, None)
        if tensor is not None and not torch.equal(found.setdefault(SHARED, tensor), tensor):
            raise KeysMismatch(f"{alias} differs from {SHARED}: this family has one embedding for everything")
    for name in POSITIONS:
        found.setdefault(name, sinusoids(settings.max_positions, settings.width))
    found.setdefault(BIAS, torch.zeros(shapes[BIAS].shape))
    return found
