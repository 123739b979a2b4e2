"""config.json and generation_config.json of a published folder: what the network and the search need of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from export.bundle.published import Published, read_json
from export.errors import CheckpointRefused
from export.seq2seq.tensors import Shape

GENERATION = "generation_config.json"
ACTIVATIONS = ("swish", "silu", "gelu", "relu")
"""What `activation_function` may be; the first two are one."""
_UNUSUAL = {
    "normalize_before": False,
    "normalize_embedding": False,
    "add_final_layer_norm": False,
    "add_bias_logits": False,
}
"""Parts that Marian could have and Opus-MT has not; transformers builds no network with them either."""


@dataclass(frozen=True)
class MarianSettings:
    """Sizes and switches of one network."""

    width: int
    """d_model."""
    encoder_layers: int
    decoder_layers: int
    encoder_heads: int
    decoder_heads: int
    encoder_hidden: int
    """encoder_ffn_dim."""
    decoder_hidden: int
    vocab_size: int
    max_positions: int
    activation: str
    scales_embedding: bool
    """Embeddings are multiplied by the root of the width."""
    start_token: int
    end_token: int
    pad_token: int

    @property
    def shape(self) -> Shape:
        """What the decoder's tensors depend on."""
        head_dim = self.width // self.decoder_heads
        return Shape(self.decoder_layers, self.decoder_heads, head_dim, self.vocab_size, self.max_positions)


@dataclass(frozen=True)
class SearchSettings:
    """How transformers would generate with this folder."""

    beams: int
    max_length: int
    """With the start token."""
    length_penalty: float
    early_stopping: bool
    suppress: tuple[int, ...]
    """Single tokens among bad_words_ids."""
    forced_eos: bool


def read_settings(published: Published) -> MarianSettings:
    """Read the network's part; CheckpointRefused names what is missing or cannot be served."""
    config = published.settings
    for name, usual in _UNUSUAL.items():
        if config.get(name, usual) != usual:
            raise CheckpointRefused(f"{published.name}: {name} is {config[name]!r}; Opus-MT as published has {usual!r}")
    if not config.get("share_encoder_decoder_embeddings", True):
        raise CheckpointRefused(f"{published.name} has one vocabulary for each language; one for both can be served")
    activation = str(config.get("activation_function", "gelu"))
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise CheckpointRefused(f"{published.name}: activation_function {activation!r} is none of {known}")
    sizes = {name: _whole(published, config, key) for name, key in _SIZES.items()}
    tokens = {name: _whole(published, config, key, least=0) for name, key in _TOKENS.items()}
    settings = MarianSettings(
        **sizes, **tokens, activation=activation, scales_embedding=bool(config.get("scale_embedding", False))
    )
    _check_sizes(published, settings)
    return settings


def read_search(published: Published, settings: MarianSettings) -> SearchSettings:
    """Read how the folder wants its tokens searched: generation_config.json, or config.json of older folders.

    CheckpointRefused: `bad_words_ids` has words of several tokens, the end token that it forces is another, or
    `early_stopping` is "never": none of the published folders has such.
    """
    path = published.file(GENERATION)
    found = {**published.settings, **(read_json(path) if path is not None else {})}
    words = found.get("bad_words_ids") or []
    if not all(isinstance(word, list) and len(word) == 1 for word in words):
        raise CheckpointRefused(f"{published.name}: bad_words_ids has words of several tokens, which are not served")
    forced = found.get("forced_eos_token_id")
    if forced is not None and forced != settings.end_token:
        raise CheckpointRefused(f"{published.name}: forced_eos_token_id {forced} is not the end {settings.end_token}")
    stopping = found.get("early_stopping", False)
    if not isinstance(stopping, bool):
        raise CheckpointRefused(f"{published.name}: early_stopping {stopping!r} is neither true nor false")
    return SearchSettings(
        beams=int(found.get("num_beams") or 1),
        max_length=min(int(found.get("max_length") or settings.max_positions), settings.max_positions),
        length_penalty=float(found.get("length_penalty", 1.0)),
        early_stopping=stopping,
        suppress=tuple(int(word[0]) for word in words),
        forced_eos=forced is not None,
    )


_SIZES = {
    "width": "d_model",
    "encoder_layers": "encoder_layers",
    "decoder_layers": "decoder_layers",
    "encoder_heads": "encoder_attention_heads",
    "decoder_heads": "decoder_attention_heads",
    "encoder_hidden": "encoder_ffn_dim",
    "decoder_hidden": "decoder_ffn_dim",
    "vocab_size": "vocab_size",
    "max_positions": "max_position_embeddings",
}
_TOKENS = {"start_token": "decoder_start_token_id", "end_token": "eos_token_id", "pad_token": "pad_token_id"}


def _whole(published: Published, config: Mapping[str, Any], key: str, least: int = 1) -> int:
    value = config.get(key)
    if type(value) is not int or value < least:
        raise CheckpointRefused(f"{published.name}: {key} in config.json is {value!r}, not a whole number from {least}")
    return value


def _check_sizes(published: Published, settings: MarianSettings) -> None:
    for heads in (settings.encoder_heads, settings.decoder_heads):
        if settings.width % heads:
            raise CheckpointRefused(f"{published.name}: a width of {settings.width} does not divide by {heads} heads")
    for token in (settings.start_token, settings.end_token, settings.pad_token):
        if token >= settings.vocab_size:
            raise CheckpointRefused(f"{published.name}: token {token} is beyond vocab_size {settings.vocab_size}")
