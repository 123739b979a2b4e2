"""How long a text may plausibly take to say: what is far outside is a runaway (endless mumbling, or nothing). Pure.

XTTS at times goes on after the text, repeats it, or stops at once; its users know the first as hallucinated speech
behind short texts. The band is wide, so that neither slow nor fast speakers leave it.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

_DIGIT_LETTERS = 6
"""About as many letters as a spoken digit has."""
_SYLLABLE_LETTERS = 3
"""A character that is a syllable counts as so many."""
_SYLLABIC = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")


@dataclass(frozen=True, slots=True)
class Guard:
    """The plausible band."""

    letters_per_s: tuple[float, float] = (5.0, 45.0)
    """Slowest and fastest. Speech has 12 to 19 letters a second."""
    slack_s: float = 1.5
    """Any text may take so much longer: breath, pauses, one word drawn out."""


def spoken_letters(text: str) -> int:
    """Count letters as speech takes time for them."""
    return sum(_letters(char) for char in text)


def _letters(char: str) -> int:
    if char.isdecimal():
        return _DIGIT_LETTERS
    if not char.isalpha():
        return 0
    return _SYLLABLE_LETTERS if unicodedata.name(char, "").startswith(_SYLLABIC) else 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long one piece of text may be."""

    letters: int
    shortest_s: float
    longest_s: float
    codes_per_s: float

    @property
    def most_codes(self) -> int:
        """No plausible speech has more."""
        return math.ceil(self.longest_s * self.codes_per_s)

    def fault(self, codes: int, *, ended: bool) -> str:
        """Return what is implausible about so many codes, "" if nothing is; `ended`: the end code came."""
        length_s = codes / self.codes_per_s
        if not ended:
            return f"no end after {length_s:.1f} s for {self.letters} letters"
        if length_s < self.shortest_s:
            return f"only {length_s:.2f} s for {self.letters} letters"
        return ""


def bounds_of(text: str, guard: Guard, codes_per_s: float) -> Bounds:
    """Return the bounds of a piece at natural speed, at which codes are generated whatever SPEED is."""
    letters = spoken_letters(text)
    slowest, fastest = guard.letters_per_s
    return Bounds(letters, letters / fastest, letters / slowest + guard.slack_s, codes_per_s)
