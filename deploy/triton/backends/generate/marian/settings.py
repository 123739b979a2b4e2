"""What generation.json says under `marian`, and config.pbtxt beside it: languages, and how long a text may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generate.fields import BadFolder
from generate.folder import VersionFolder

_MAX_TEXT_CHARS = "max_text_chars"
"""Parameter of config.pbtxt."""
_DEFAULT_TEXT_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class MarianSettings:
    """The family's settings for one version."""

    targets: Mapping[str, str]
    """Language code as callers write it -> the `>>xx<<` token before the text, "" where the model needs none."""
    max_source_tokens: int
    """Longer sentences are cut, the end token included."""
    max_text_chars: int
    """Longer texts are refused."""


def read_settings(folder: VersionFolder, parameters: Mapping[str, str]) -> MarianSettings:
    """Read them; BadFolder names what is missing or odd."""
    section = folder.section
    section.only("targets", "max_source_tokens")
    targets = section.inner("targets").raw
    if not targets or not all(_is_target(token) for token in targets.values()):
        raise section.wrong(
            "targets", 'an object of language codes, each with its token: {"es": ">>spa<<"} or {"es": ""}'
        )
    return MarianSettings(
        targets=dict(targets),
        max_source_tokens=section.integer("max_source_tokens", 2, folder.settings.max_positions),
        max_text_chars=_text_chars(folder, parameters),
    )


def _is_target(token: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(token, str) and (not token or (token.startswith(">>") and token.endswith("<<")))


def _text_chars(folder: VersionFolder, parameters: Mapping[str, str]) -> int:
    text = parameters.get(_MAX_TEXT_CHARS, str(_DEFAULT_TEXT_CHARS))
    if not text.isdecimal() or int(text) < 1:
        raise BadFolder(folder.path, f"parameter {_MAX_TEXT_CHARS} must be a whole number above 0, it is {text!r}")
    return int(text)
