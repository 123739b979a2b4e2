"""The sizes of a Whisper network: from a folder's config.json, from an openai file's `dims`, and the published ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from export.errors import CheckpointRefused
from export.seq2seq.tensors import Shape


@dataclass(frozen=True)
class WhisperSettings:
    """Sizes; names follow the paper's tables where it has them."""

    n_mels: int
    """Mel bands: 80, from large-v3 on 128."""
    audio_positions: int
    """Positions of the encoder: half the mel frames of a window (1500 of 3000, 30 s)."""
    width: int
    encoder_layers: int
    encoder_heads: int
    decoder_layers: int
    decoder_heads: int
    hidden: int
    """Width inside the feed-forward parts: 4 x width."""
    vocab_size: int
    text_positions: int
    """Most tokens of the decoder: 448."""

    @property
    def frames(self) -> int:
        """Mel frames of a whole window."""
        return 2 * self.audio_positions

    @property
    def shape(self) -> Shape:
        """Of the decoder's tensors."""
        size = self.width // self.decoder_heads
        return Shape(self.decoder_layers, self.decoder_heads, size, self.vocab_size, self.text_positions)


_OF_CONFIG = {
    "n_mels": "num_mel_bins",
    "audio_positions": "max_source_positions",
    "width": "d_model",
    "encoder_layers": "encoder_layers",
    "encoder_heads": "encoder_attention_heads",
    "decoder_layers": "decoder_layers",
    "decoder_heads": "decoder_attention_heads",
    "hidden": "decoder_ffn_dim",
    "vocab_size": "vocab_size",
    "text_positions": "max_target_positions",
}
"""Ours -> config.json's."""
_OF_DIMS = {
    "n_mels": "n_mels",
    "audio_positions": "n_audio_ctx",
    "width": "n_text_state",
    "encoder_layers": "n_audio_layer",
    "encoder_heads": "n_audio_head",
    "decoder_layers": "n_text_layer",
    "decoder_heads": "n_text_head",
    "vocab_size": "n_vocab",
    "text_positions": "n_text_ctx",
}
"""Ours -> those of openai's `dims`."""
_FIXED = {"activation_function": "gelu", "scale_embedding": False, "tie_word_embeddings": True}
"""What config.json may say of the architecture: all published folders do, or leave it out."""


def settings_of_config(config: Mapping[str, Any]) -> WhisperSettings:
    """Read config.json of a folder; CheckpointRefused when it says what the network is not."""
    for name, value in _FIXED.items():
        if config.get(name, value) != value:
            raise CheckpointRefused(f"config.json has {name} {config[name]!r}, Whisper has {value!r}")
    if config.get("encoder_ffn_dim") != config.get("decoder_ffn_dim"):
        raise CheckpointRefused("config.json has different encoder_ffn_dim and decoder_ffn_dim")
    return _checked({ours: _size(config, theirs, "config.json") for ours, theirs in _OF_CONFIG.items()})


def settings_of_dims(dims: Mapping[str, Any]) -> WhisperSettings:
    """Read the `dims` of an openai file; CheckpointRefused likewise."""
    if dims.get("n_audio_state") != dims.get("n_text_state"):
        raise CheckpointRefused("dims has different n_audio_state and n_text_state")
    found = {ours: _size(dims, theirs, "dims") for ours, theirs in _OF_DIMS.items()}
    return _checked({**found, "hidden": 4 * found["width"]})


def dims_of(settings: WhisperSettings) -> dict[str, int]:
    """Return what an openai file has as `dims`."""
    dims = {theirs: int(getattr(settings, ours)) for ours, theirs in _OF_DIMS.items()}
    return {**dims, "n_audio_state": settings.width}


def config_of(settings: WhisperSettings) -> dict[str, int]:
    """Return the sizes as config.json has them."""
    config = {theirs: int(getattr(settings, ours)) for ours, theirs in _OF_CONFIG.items()}
    return {**config, "encoder_ffn_dim": settings.hidden}


def _size(found: Mapping[str, Any], name: str, where: str) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise CheckpointRefused(f"{where} has no usable {name}: {value!r}")
    return value


def _checked(sizes: Mapping[str, int]) -> WhisperSettings:
    settings = WhisperSettings(**sizes)
    for heads in (settings.encoder_heads, settings.decoder_heads):
        if settings.width % heads:
            raise CheckpointRefused(f"{heads} heads do not divide a width of {settings.width}")
    return settings


def _published(width: int, layers: int, heads: int, *, english: bool = False, **other: int) -> WhisperSettings:
    vocabulary = 51864 if english else 51865
    sizes = {
        "n_mels": 80, "audio_positions": 1500, "width": width, "encoder_layers": layers, "encoder_heads": heads,
        "decoder_layers": layers, "decoder_heads": heads, "hidden": 4 * width, "vocab_size": vocabulary,
        "text_positions": 448,
    }  # fmt: skip
    return WhisperSettings(**sizes | other)


SIZES: Mapping[str, WhisperSettings] = {
    "small": _published(768, 12, 12),
    "tiny": _published(384, 4, 6),
    "tiny.en": _published(384, 4, 6, english=True),
    "base": _published(512, 6, 8),
    "base.en": _published(512, 6, 8, english=True),
    "small.en": _published(768, 12, 12, english=True),
    "medium": _published(1024, 24, 16),
    "medium.en": _published(1024, 24, 16, english=True),
    "large-v2": _published(1280, 32, 20),
    "large-v3": _published(1280, 32, 20, n_mels=128, vocab_size=51866),
    "large-v3-turbo": _published(1280, 32, 20, n_mels=128, vocab_size=51866, decoder_layers=4),
    "reduced": _published(64, 2, 2, audio_positions=500),
    "reduced.en": _published(64, 2, 2, audio_positions=500, english=True),
}
"""The published networks, and two for tests: 10 s windows, 4 million parameters, most of them the vocabulary's."""
