"""How tts_xtts speaks: the `parameters` of its config.pbtxt, read and checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from generate.generation import DecodingOptions
from generate.parameters import above_0, count, finite, natural, read, two_rising

from .guard import Guard

LEAST_CHUNK_CODES = 8
"""The vocoder looks 4 codes ahead, so a chunk must be longer."""


@dataclass(frozen=True, slots=True)
class XttsOptions:
    """What is configured."""

    chunk_codes: int = 20
    """Codes of the first chunk (the original's stream_chunk_size), LEAST_CHUNK_CODES or more."""
    later_codes: int = 40
    """Codes of the others: the longer, the less is computed twice, and the less often a listener hears anything new."""
    cached_voices: int = 16
    """Voices (latents and embedding) that are remembered, the last used ones; in memory only."""
    default_voice: str = ""
    """Built-in voice that an empty SPEAKER_AUDIO stands for; "": the version's first."""
    min_speaker_audio_s: float = 1.0
    max_speaker_audio_s: float = 120.0
    """Shorter and longer references are refused."""
    max_text_chars: int = 5000
    """Longer texts are refused."""
    speed_range: tuple[float, float] = (0.5, 2.0)
    seed: int = 0
    """Of the draws, together with the text and the voice: the same request sounds the same."""
    force_codes: int = 0
    """Above 0: every piece is exactly so many codes long, whatever the text. For measurements only."""
    guard: Guard = field(default_factory=Guard)


def read_options(parameters: Mapping[str, str]) -> XttsOptions:
    """Read the parameters; what is not there keeps its default, what is none of ours is left to others."""
    plain, guard = XttsOptions(), Guard()
    return XttsOptions(
        chunk_codes=read(parameters, "chunk_codes", _chunk, plain.chunk_codes),
        later_codes=read(parameters, "later_codes", _chunk, plain.later_codes),
        cached_voices=read(parameters, "cached_voices", count, plain.cached_voices),
        default_voice=parameters.get("default_voice", plain.default_voice),
        min_speaker_audio_s=read(parameters, "min_speaker_audio_s", above_0, plain.min_speaker_audio_s),
        max_speaker_audio_s=read(parameters, "max_speaker_audio_s", above_0, plain.max_speaker_audio_s),
        max_text_chars=read(parameters, "max_text_chars", count, plain.max_text_chars),
        speed_range=read(parameters, "speed_range", two_rising, plain.speed_range),
        seed=read(parameters, "seed", natural, plain.seed),
        force_codes=read(parameters, "force_codes", natural, plain.force_codes),
        guard=Guard(
            letters_per_s=read(parameters, "plausible_letters_per_s", two_rising, guard.letters_per_s),
            slack_s=read(parameters, "plausible_slack_s", above_0, guard.slack_s),
        ),
    )


def read_sampling(parameters: Mapping[str, str], published: DecodingOptions) -> DecodingOptions:
    """Return how codes are drawn: as the version says, but for what the parameters say; `temperature` 0: greedily."""
    return replace(
        published,
        temperature=read(parameters, "temperature", finite, published.temperature),
        top_k=read(parameters, "top_k", natural, published.top_k),
        top_p=read(parameters, "top_p", above_0, published.top_p),
        repetition_penalty=read(parameters, "repetition_penalty", above_0, published.repetition_penalty),
        hidden=True,
    )


def _chunk(text: str) -> int:
    if (codes := count(text)) < LEAST_CHUNK_CODES:
        raise ValueError(f"expected a whole number from {LEAST_CHUNK_CODES}")
    return codes
