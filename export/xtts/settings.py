"""The sizes of an XTTS-v2 checkpoint: from config.json and vocab.json, and the two that are synthesised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from export.errors import CheckpointRefused
from export.seq2seq.tensors import Shape
from export.xtts.vocabulary import TextTokens

LATENTS = 32
"""Vectors that the perceiver makes of a speaker's sample."""
MEL_BANDS = 80
"""Of the mel that the conditioning encoder hears."""
SPEAKER_BANDS = 64
"""Of the mel that the speaker encoder hears."""
EMBEDDING = 512
"""Numbers of a speaker embedding."""


@dataclass(frozen=True)
class XttsSettings:
    """Sizes and tokens; the network's further sizes are the same in every XTTS-v2."""

    layers: int
    width: int
    heads: int
    text_tokens: int
    """Rows of the text embedding: the greatest id of vocab.json and one."""
    audio_codes: int
    """Rows of the code embedding, start and stop among them; 1026 published."""
    start_audio: int
    stop_audio: int
    text_start: int
    text_stop: int
    config_text_tokens: int
    """gpt_max_text_tokens; a text must have fewer tokens, start and stop not counted; 402 published."""
    config_audio_tokens: int
    """gpt_max_audio_tokens; 605 published."""
    config_prompt_tokens: int
    """gpt_max_prompt_tokens; 70 published. The network that generates has no table of that size."""
    languages: tuple[str, ...]
    """As config.json names them ("zh-cn" too)."""
    conditioning_s: int
    """Seconds of a sample that the latents are made of."""
    conditioning_chunk_s: int
    """Seconds of it that are encoded at a time."""
    max_reference_s: int
    """Seconds of a sample that the embedding is made of."""

    @property
    def head_dim(self) -> int:
        """Numbers of one head."""
        return self.width // self.heads

    @property
    def text_positions(self) -> int:
        """Rows of the text's position table."""
        return self.config_text_tokens + 2

    @property
    def audio_positions(self) -> int:
        """Rows of the codes' position table."""
        return self.config_audio_tokens + 3

    @property
    def max_text_tokens(self) -> int:
        """Most tokens of one text, start and stop not counted: the original takes fewer than gpt_max_text_tokens."""
        return self.config_text_tokens - 1

    @property
    def max_new_tokens(self) -> int:
        """Most codes of one text, the stop code included."""
        return self.config_audio_tokens - 3

    @property
    def max_positions(self) -> int:
        """Most positions of one row: latents, text, codes."""
        return LATENTS + self.text_positions + self.audio_positions

    @property
    def shape(self) -> Shape:
        """Of the decoder's tensors."""
        return Shape(self.layers, self.heads, self.head_dim, self.audio_codes, self.max_positions)


_FIXED: Mapping[str, object] = {
    "gpt_code_stride_len": 1024,
    "input_sample_rate": 22050,
    "output_sample_rate": 24000,
    "output_hop_length": 256,
    "d_vector_dim": EMBEDDING,
    "cond_d_vector_in_each_upsampling_layer": True,
}
"""What model_args may say of the architecture: every published XTTS-v2 does, or leaves it out."""


def settings_of(config: Mapping[str, Any], tokens: TextTokens) -> XttsSettings:
    """Read config.json; the text's start, stop and number of tokens come from vocab.json, as in the original.

    Raises CheckpointRefused: not XTTS, version 1, sizes that are missing or do not fit together.
    """
    args = _model_args(config)
    settings = XttsSettings(
        layers=_size(args, "gpt_layers"),
        width=_size(args, "gpt_n_model_channels"),
        heads=_size(args, "gpt_n_heads"),
        text_tokens=tokens.count,
        audio_codes=_size(args, "gpt_num_audio_tokens"),
        start_audio=_size(args, "gpt_start_audio_token"),
        stop_audio=_size(args, "gpt_stop_audio_token"),
        text_start=tokens.start,
        text_stop=tokens.stop,
        config_text_tokens=_size(args, "gpt_max_text_tokens"),
        config_audio_tokens=_size(args, "gpt_max_audio_tokens"),
        config_prompt_tokens=_size(args, "gpt_max_prompt_tokens"),
        languages=languages_of(config),
        conditioning_s=_size(config, "gpt_cond_len"),
        conditioning_chunk_s=_size(config, "gpt_cond_chunk_len"),
        max_reference_s=_size(config, "max_ref_len"),
    )
    _check(settings, args)
    return settings


def languages_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the languages of config.json (CheckpointRefused without)."""
    found = config.get("languages")
    if not isinstance(found, list) or not found or not all(isinstance(each, str) and each for each in found):
        raise CheckpointRefused(f"config.json has no usable languages: {found!r}")
    return tuple(found)


def _model_args(config: Mapping[str, Any]) -> Mapping[str, Any]:
    if config.get("model") != "xtts":
        raise CheckpointRefused(f"config.json is of the model {config.get('model')!r}, not 'xtts'")
    args = config.get("model_args")
    if not isinstance(args, Mapping):
        raise CheckpointRefused("config.json has no model_args")
    if args.get("gpt_use_perceiver_resampler") is not True:
        raise CheckpointRefused("this is an XTTS-v1 checkpoint (no perceiver); only XTTS-v2 can be exported")
    for name, value in _FIXED.items():
        if args.get(name, value) != value:
            raise CheckpointRefused(f"config.json has {name} {args[name]!r}, XTTS-v2 has {value!r}")
    return args


def _check(settings: XttsSettings, args: Mapping[str, Any]) -> None:
    if settings.width % settings.heads or settings.head_dim % 8:
        raise CheckpointRefused(f"{settings.heads} heads do not divide a width of {settings.width} into eights")
    if args.get("decoder_input_dim", settings.width) != settings.width:
        raise CheckpointRefused(f"decoder_input_dim {args['decoder_input_dim']} is not the width {settings.width}")
    if not max(settings.start_audio, settings.stop_audio) < settings.audio_codes:
        raise CheckpointRefused(f"the start or stop code is none of the {settings.audio_codes} audio codes")
    if settings.conditioning_chunk_s > settings.conditioning_s:
        raise CheckpointRefused("gpt_cond_chunk_len is greater than gpt_cond_len")


def _size(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise CheckpointRefused(f"config.json has no usable {name}: {value!r}")
    return value
