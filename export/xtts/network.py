"""XTTS-v2's network under the names that published files give its tensors (weight norms folded, see `names`).

Casanova et al. 2024, XTTS: a Massively Multilingual Zero-Shot Text-to-Speech Model. A GPT-2 reads latents of a speaker,
a text and the codes so far; what its last norm makes of every code is what a HiFi-GAN speaks, in the voice of an
embedding of the speaker.
"""

import torch
from torch import Tensor, nn

from export.xtts.conditioning import ConditioningEncoder, Perceiver
from export.xtts.generator import Generator
from export.xtts.gpt import Blocks
from export.xtts.settings import MEL_BANDS, XttsSettings
from export.xtts.speaker import SpeakerEncoder


class PositionTable(nn.Module):
    """A learned vector for each position."""

    def __init__(self, positions: int, width: int) -> None:
        super().__init__()
        self.emb = nn.Embedding(positions, width)


class Gpt(nn.Module):
    """Everything of the width of the GPT."""

    def __init__(self, settings: XttsSettings) -> None:
        super().__init__()
        width = settings.width
        self.conditioning_encoder = ConditioningEncoder(MEL_BANDS, width, settings.heads)
        self.conditioning_perceiver = Perceiver(width)
        self.text_embedding = nn.Embedding(settings.text_tokens, width)
        self.mel_embedding = nn.Embedding(settings.audio_codes, width)
        self.text_pos_embedding = PositionTable(settings.text_positions, width)
        self.mel_pos_embedding = PositionTable(settings.audio_positions, width)
        self.gpt = Blocks(settings.layers, width, settings.heads)
        self.final_norm = nn.LayerNorm(width)
        self.text_head = nn.Linear(width, settings.text_tokens)  # of the training alone
        self.mel_head = nn.Linear(width, settings.audio_codes)

    def latents(self, mel: Tensor) -> Tensor:
        """Hear a sample: mel [B, 80, frames], divided by mel_stats -> [B, 32, width]."""
        heard: Tensor = self.conditioning_encoder(mel)
        latents: Tensor = self.conditioning_perceiver(heard.transpose(1, 2))
        return latents

    def forward(self, embeds: Tensor) -> tuple[Tensor, Tensor]:
        """[R, T, width] -> logits [R, T, audio_codes], hidden [R, T, width]; causal, no cache."""
        hidden = self.final_norm(self.gpt(embeds))
        return self.mel_head(hidden), hidden


class Sound(nn.Module):
    """What makes sound, and what knows voices."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.waveform_decoder = Generator(width)
        self.speaker_encoder = SpeakerEncoder()


class Xtts(nn.Module):
    """All of it. What is computed with it is in `graphs` and `decoder_graph`."""

    mel_stats: Tensor

    def __init__(self, settings: XttsSettings) -> None:
        super().__init__()
        self.settings = settings
        self.gpt = Gpt(settings)
        self.hifigan_decoder = Sound(settings.width)
        self.register_buffer("mel_stats", torch.ones(MEL_BANDS))
