"""A text as units that no line break divides, each with the quality of a break behind it."""

import unicodedata
from dataclasses import dataclass

from orchestrator.subtitles.words import CONJUNCTIONS, LEANING

MAX_LINE_WIDTH = 42
"""Common practice of subtitlers for the Latin script. A wide (Chinese, Japanese, Korean) character counts as two."""

AFTER_SENTENCE, AFTER_CLAUSE, BEFORE_CONJUNCTION, ANYWHERE, AFTER_LEANING = 0.0, 1.0, 2.0, 5.0, 9.0
"""What a break costs, by where it is."""

_SENTENCE_ENDS = ".?!…。？！"
_CLAUSE_ENDS = ",;:—–、，；："
_CLOSING = "\"')]}»”’」』）】〉》"


@dataclass(frozen=True, slots=True)
class Unit:
    """A word with its punctuation, or one wide character with what must follow it."""

    text: str
    width: int
    spaced: bool
    """A space stands between this and the next unit when they share a line."""
    break_cost: float
    """Of a line break behind it."""


def width_of(text: str) -> int:
    """Return how many columns a text takes: wide characters two, combining marks and formats none."""
    return sum(_width(character) for character in text)


def plain(text: str) -> str:
    """Return one line of single spaces: without line breaks, and without control characters, which no player shows."""
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())


def units_of(text: str, language: str) -> list[Unit]:
    """Cut a plain text into units, none wider than a line (a longer word is cut hard)."""
    words = text.split()
    pieces: list[tuple[str, bool]] = []
    for word in words:
        parts = [cut for part in _breakable(word) for cut in _cut(part)]
        pieces += [(part, index == len(parts) - 1) for index, part in enumerate(parts)]
    following = [*(piece for piece, _ in pieces[1:]), ""][: len(pieces)]
    return [
        Unit(piece, width_of(piece), spaced, _break_cost(piece, after, language) if spaced else _inner_cost(piece))
        for (piece, spaced), after in zip(pieces, following, strict=True)
    ]


def joined(units: list[Unit]) -> str:
    """Return the units as text on one line."""
    return "".join(unit.text + (" " if unit.spaced else "") for unit in units).rstrip()


def widths(units: list[Unit]) -> int:
    """Return how many columns the units take on one line."""
    spaces = sum(unit.spaced for unit in units[:-1])
    return sum(unit.width for unit in units) + spaces


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _breakable(word: str) -> list[str]:
    """Cut a word between wide characters, but not before what closes, nor behind what opens."""
    parts: list[str] = []
    for character in word:
        wide = _width(character) == 2
        stays = not parts or character in _SENTENCE_ENDS + _CLAUSE_ENDS + _CLOSING or _width(character) == 0
        stays = stays or unicodedata.category(parts[-1][-1]) == "Ps"
        if not stays and (wide or _width(parts[-1][-1]) == 2):
            parts.append(character)
        elif parts:
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _cut(part: str) -> list[str]:
    """Cut what is wider than a line."""
    if width_of(part) <= MAX_LINE_WIDTH:
        return [part]
    pieces, width = [""], 0
    for character in part:
        if width + _width(character) > MAX_LINE_WIDTH:
            pieces.append("")
            width = 0
        pieces[-1] += character
        width += _width(character)
    return pieces


def _break_cost(unit: str, after: str, language: str) -> float:
    end = unit.rstrip(_CLOSING)[-1:]
    if end and end in _SENTENCE_ENDS:
        return AFTER_SENTENCE
    if end and end in _CLAUSE_ENDS:
        return AFTER_CLAUSE
    if after.lower() in CONJUNCTIONS.get(language, ()):
        return BEFORE_CONJUNCTION
    return AFTER_LEANING if unit.lower() in LEANING.get(language, ()) else ANYWHERE


def _inner_cost(unit: str) -> float:
    """Of a break within what has no spaces: behind punctuation it is as good as anywhere, else it may split a word."""
    end = unit.rstrip(_CLOSING)[-1:]
    if end and end in _SENTENCE_ENDS:
        return AFTER_SENTENCE
    return AFTER_CLAUSE if end and end in _CLAUSE_ENDS else ANYWHERE
