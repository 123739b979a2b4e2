"""A text as what is translated and what goes back as it came: the order in which both make the answer. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from generate.sentences import Fits, split_long, split_sentences

_FIRST_PICTURE = 0x2190
"""Below it a "symbol" is part of a sentence (°, ©, ®); from the arrows on it is a picture beside one."""
_JOINERS = "\u200d\ufe0e\ufe0f\u20e3"
"""Parts of an emoji that are no symbols themselves."""


@dataclass(frozen=True)
class Piece:
    """One part of a text."""

    before: str
    """Goes into the answer as it is: pictures and spaces, or the whole part when nothing in it can be translated."""
    text: str
    """What is translated; "" for nothing."""
    after: str
    """Goes into the answer as it is: pictures, and what stands between this part and the next."""


def pieces_of(text: str, fits: Fits) -> list[Piece]:
    """Cut a text into sentences, and those into what the model can hold."""
    return [_piece(part.text, part.gap) for sentence in split_sentences(text) for part in split_long(sentence, fits)]


def has_words(text: str) -> bool:
    """Whether there is a letter in it: punctuation, figures and pictures mean the same in every language."""
    return any(char.isalpha() for char in text)


def _piece(text: str, gap: str) -> Piece:
    if not has_words(text):
        return Piece(text, "", gap)
    start, end = 0, len(text)
    while _is_beside(text[start]):
        start += 1
    while _is_beside(text[end - 1]):
        end -= 1
    return Piece(text[:start], text[start:end], text[end:] + gap)


def _is_beside(char: str) -> bool:
    is_picture = ord(char) >= _FIRST_PICTURE and unicodedata.category(char) in ("So", "Sk", "Cs", "Co", "Cn")
    return char.isspace() or is_picture or char in _JOINERS
