"""The languages that XTTS-v2 speaks: how long a piece may be, and which letters their texts are written in.

Limits: coqui-tts 0.28, TTS/tts/layers/xtts/tokenizer.py, `char_limits`: about what the model says in one breath before
it loses its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LATIN = frozenset({"LATIN"})
_HAN = frozenset({"CJK", "IDEOGRAPHIC"})
_KANA = frozenset({"HIRAGANA", "KATAKANA"})


@dataclass(frozen=True)
class Language:
    """What is fixed for one language."""

    max_chars: int
    """Characters of one piece, as written, before numbers become words."""
    scripts: frozenset[str] = LATIN
    """First words of the Unicode names of its letters; Latin ones are welcome in every language."""


LANGUAGES: Mapping[str, Language] = {
    "en": Language(250),
    "es": Language(239),
    "fr": Language(273),
    "de": Language(253),
    "it": Language(213),
    "pt": Language(203),
    "pl": Language(224),
    "tr": Language(226),
    "ru": Language(182, frozenset({"CYRILLIC"})),
    "nl": Language(251),
    "cs": Language(186),
    "ar": Language(166, frozenset({"ARABIC"})),
    "zh": Language(82, _HAN | {"BOPOMOFO"}),
    "hu": Language(224),
    "ko": Language(95, _HAN | {"HANGUL"}),
    "ja": Language(71, _HAN | _KANA),
    "hi": Language(150, frozenset({"DEVANAGARI"})),
}
"""By ISO 639-1 code."""


def code_of(name: str) -> str:
    """Return the ISO 639-1 code of a language as a checkpoint's config names it: "zh" for "zh-cn"."""
    return name.split("-")[0]
