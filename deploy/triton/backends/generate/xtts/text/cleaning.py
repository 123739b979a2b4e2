"""Takes out of a text what nobody can speak, and what only looks different. Pure.

The original hands all of it to its tokenizer, which knows none of it: each such character becomes [UNK], a sound of the
model's own making. What both can speak is the same before and after.
"""

from __future__ import annotations

import re
import unicodedata

_LINES = re.compile(r"\s*[\n\r\x0b\x0c\x85\u2028\u2029]\s*")
_BLANKS = re.compile(r"[^\S\n]+")
_WIDE_LETTERS = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_INVISIBLE = frozenset({"Cf", "Co", "Cs", "Cn"})
"""Soft hyphens, zero-width characters, marks of direction; what is no character at all."""
_EMOJI_PARTS = frozenset("\ufe0e\ufe0f\u20e3©®")
_FIRST_PICTURE = 0x2100
"""Symbols below it ("°") are spoken; from here on they are pictures, or stand for letters ("℃", "㎏")."""


def clean(text: str) -> str:
    """Return the text composed (NFC), with plain digits, one blank for many and "\\n" between its lines.

    Without what is invisible and without pictures. Doing it again changes nothing.
    """
    composed = unicodedata.normalize("NFC", text)
    spoken = "".join(map(_spoken, composed)).translate(_WIDE_LETTERS)
    lines = _BLANKS.sub(" ", _LINES.sub("\n", spoken))
    return unicodedata.normalize("NFC", lines.strip())


def _spoken(char: str) -> str:
    if char.isascii():
        return char if char.isprintable() or char.isspace() else " "
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.digit(char))
    if kind in _INVISIBLE or char in _EMOJI_PARTS:
        return ""
    if kind == "Cc" and not char.isspace():
        return " "
    if kind in ("So", "Sk") and ord(char) >= _FIRST_PICTURE:
        letters = unicodedata.normalize("NFKC", char)
        return letters if letters[0].isalnum() or letters[0] in "(°" else " "
    return char
