"""How stt_whisper decodes: the `parameters` of its config.pbtxt, read and checked. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from .verdict import Thresholds

T = TypeVar("T")
_SWITCHES = {"true": True, "false": False}
_CONTEXTS = {"full": True, "actual": False}


class BadParameter(ValueError):
    """A parameter of config.pbtxt that cannot be; the message names it."""


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
        full_context=_read(parameters, "audio_context", _one_of(_CONTEXTS), plain.full_context),
        temperatures=_read(parameters, "temperatures", _temperatures, plain.temperatures),
        best_of=_read(parameters, "best_of", _count, plain.best_of),
        max_audio_s=_read(parameters, "max_audio_s", _above_0, plain.max_audio_s),
        voice_gate=_read(parameters, "voice_gate", _one_of(_SWITCHES), plain.voice_gate),
        thresholds=Thresholds(
            compression_ratio=_read(parameters, "compression_ratio_threshold", _above_0, limits.compression_ratio),
            logprob=_read(parameters, "logprob_threshold", _finite, limits.logprob),
            no_speech=_read(parameters, "no_speech_threshold", _finite, limits.no_speech),
            chars_per_s=_read(parameters, "max_chars_per_s", _above_0, limits.chars_per_s),
        ),
    )


def _read(parameters: Mapping[str, str], key: str, parse: Callable[[str], T], default: T) -> T:
    if key not in parameters:
        return default
    try:
        return parse(parameters[key])
    except ValueError as error:
        raise BadParameter(f"parameter {key} is {parameters[key]!r}: {error}") from error


def _one_of(choices: Mapping[str, bool]) -> Callable[[str], bool]:
    def parse(text: str) -> bool:
        if text not in choices:
            raise ValueError(f"expected {' or '.join(choices)}")
        return choices[text]

    return parse


def _temperatures(text: str) -> tuple[float, ...]:
    found = tuple(_finite(part) for part in text.split())
    if not found or min(found) < 0 or list(found) != sorted(set(found)):
        raise ValueError("expected rising numbers from 0, separated by spaces")
    return found


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("expected a whole number above 0")
    return number


def _above_0(text: str) -> float:
    number = _finite(text)
    if number <= 0:
        raise ValueError("expected a number above 0")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number
