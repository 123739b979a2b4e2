"""How stt_whisper decodes: the `parameters` of its config.pbtxt, read and checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from generate.parameters import above_0, count, finite, one_of, read

from .verdict import Thresholds

_SWITCHES = {"true": True, "false": False}
_CONTEXTS = {"full": True, "actual": False}


@dataclass(frozen=True, slots=True)
class WhisperOptions:
    """What is configured; the defaults are openai-whisper's, where it has them."""

    full_context: bool = True
    """`audio_context`: the encoder hears 30 s whatever the recording's length ("full"), or what there is ("actual")."""
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    """One after the other until a text passes `thresholds`; 0 is greedy."""
    best_of: int = 5
    """Samples drawn at a temperature above 0, of which the most probable is kept."""
    max_audio_s: float = 120.0
    """Longer recordings are refused."""
    voice_gate: bool = True
    """Recordings in which no voice is heard give an empty text without asking the network (voice.py)."""
    thresholds: Thresholds = field(default_factory=Thresholds)


def read_options(parameters: Mapping[str, str]) -> WhisperOptions:
    """Read the parameters; what is not there keeps its default, what is none of ours is left to others."""
    plain, limits = WhisperOptions(), Thresholds()
    return WhisperOptions(
        full_context=read(parameters, "audio_context", one_of(_CONTEXTS), plain.full_context),
        temperatures=read(parameters, "temperatures", _temperatures, plain.temperatures),
        best_of=read(parameters, "best_of", count, plain.best_of),
        max_audio_s=read(parameters, "max_audio_s", above_0, plain.max_audio_s),
        voice_gate=read(parameters, "voice_gate", one_of(_SWITCHES), plain.voice_gate),
        thresholds=Thresholds(
            compression_ratio=read(parameters, "compression_ratio_threshold", above_0, limits.compression_ratio),
            logprob=read(parameters, "logprob_threshold", finite, limits.logprob),
            no_speech=read(parameters, "no_speech_threshold", finite, limits.no_speech),
            chars_per_s=read(parameters, "max_chars_per_s", above_0, limits.chars_per_s),
        ),
    )


def _temperatures(text: str) -> tuple[float, ...]:
    found = tuple(finite(part) for part in text.split())
    if not found or min(found) < 0 or list(found) != sorted(set(found)):
        raise ValueError("expected rising numbers from 0, separated by spaces")
    return found
