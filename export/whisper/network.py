"""Whisper's network, under the names that its published folders give the tensors.

Two convolutions halve the mel's frames, a transformer encodes them, another writes tokens (paper, section 2.2); layer
norms come before each part. The encoder's positions are sines and cosines, stored with the weights.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from export.seq2seq.layers import DecoderLayer, EncoderLayer
from export.whisper.settings import WhisperSettings


class Encoder(nn.Module):
    """From mel frames to states."""

    def __init__(self, settings: WhisperSettings) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(settings.n_mels, settings.width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(settings.width, settings.width, kernel_size=3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(settings.audio_positions, settings.width)
        self.layers = nn.ModuleList(
            [EncoderLayer(settings.width, settings.hidden, key_bias=False) for _ in range(settings.encoder_layers)]
        )
        self.layer_norm = nn.LayerNorm(settings.width)


class Decoder(nn.Module):
    """From tokens to states."""

    def __init__(self, settings: WhisperSettings) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(settings.vocab_size, settings.width)
        self.embed_positions = nn.Embedding(settings.text_positions, settings.width)
        self.layers = nn.ModuleList(
            [DecoderLayer(settings.width, settings.hidden, key_bias=False) for _ in range(settings.decoder_layers)]
        )
        self.layer_norm = nn.LayerNorm(settings.width)


class _Model(nn.Module):
    def __init__(self, settings: WhisperSettings) -> None:
        super().__init__()
        self.encoder = Encoder(settings)
        self.decoder = Decoder(settings)


class Whisper(nn.Module):
    """Encoder and decoder; the logits' weights are those of the tokens' embedding."""

    def __init__(self, settings: WhisperSettings) -> None:
        super().__init__()
        self.settings = settings
        self.model = _Model(settings)

    @property
    def decoder_layers(self) -> Sequence[DecoderLayer]:
        """The decoder's layers, typed."""
        return [layer for layer in self.model.decoder.layers if isinstance(layer, DecoderLayer)]


def sinusoids(positions: int, width: int) -> Tensor:
    """Return the encoder's positions [positions, width]: sines, then cosines, periods from 2 pi to 10000 times that.

    Frequencies fall geometrically from 1 to 1/10000 over width / 2 channels (openai-whisper, model.py).
    """
    half = width // 2
    frequencies = torch.exp(-torch.arange(half) * (torch.log(torch.tensor(10000.0)) / (half - 1)))
    angles = torch.arange(positions).unsqueeze(1) * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)
