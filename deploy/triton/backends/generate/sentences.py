"""Cuts a text where a model wants it cut: into sentences, and those that are too long at clauses and blanks. Pure.

Every cut keeps what stood between the parts, so that joining them gives back the text with its spaces and lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Fits = Callable[[str], bool]
"""Whether a text is short enough for the model."""

_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "sr",
        "sra",
        "srta",
        "dra",
        "ud",
        "uds",
        "jr",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "p.ej",
        "approx",
        "dept",
        "fig",
        "nr",
        "vol",
        "pp",
        "inc",
        "ltd",
        "mme",
        "mlle",
        "z.b",
        "d.h",
        "u.a",
        "bzw",
        "usw",
        "ca",
        "capt",
        "lt",
        "sgt",
        "rev",
        "hon",
        "jan",
        "feb",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "arq",
        "lic",
        "av",
        "avda",
        "núm",
    ]
)
"""Before a full stop that ends no sentence, in the languages that the models behind it speak."""

_END = re.compile(
    r"(?P<mark>[.!?…؟۔।]+[\"'”’»)\]]*)(?P<space>\s+)"
    r"|(?P<wide>[。！？]+[」』”’]*)(?P<gap>\s*)"
    r"|(?P<line>\s*\n\s*)"
)
_CLAUSE = re.compile(r"[,;:]\s+|[،、，；：–—]\s*|\s-\s")
_SPACE = re.compile(r"\s+")
_LAST_WORD = re.compile(r"\S+$")


@dataclass(frozen=True)
class Part:
    """A part of a text and what stands between it and the next one."""

    text: str
    gap: str


def split_sentences(text: str) -> list[Part]:
    """Cut at the ends of sentences and lines; a text without any is one part.

    A full stop after an abbreviation, an initial or a number, or before a small letter, ends nothing.
    """
    parts, start = [], 0
    for found in _END.finditer(text):
        gap = next(filter(None, (found["space"], found["gap"], found["line"])), "")
        end = found.end() - len(gap)
        if found["mark"] and not _ends_sentence(text[start:end], text[found.end() :]):
            continue
        parts.append(Part(text[start:end], gap))
        start = found.end()
    parts.append(Part(text[start:], ""))
    return [part for part in parts if part.text or part.gap]


def split_long(part: Part, fits: Fits) -> Iterator[Part]:
    """Cut a part that does not fit: at a clause's end, else between words, else anywhere. One character always fits."""
    rest = part.text
    while len(rest) > 1 and not fits(rest):
        cut, gap_end = _best_cut(rest, _longest(rest, fits))
        yield Part(rest[:cut], rest[cut:gap_end])
        rest = rest[gap_end:]
    yield Part(rest, part.gap)


def _ends_sentence(before: str, after: str) -> bool:
    word = _LAST_WORD.search(before)
    bare = word[0].lstrip("\"'“‘«¿¡([").rstrip("\"'”’»)]") if word else ""
    if after[:1].islower():
        return False
    if not bare.endswith(".") or bare.endswith(".."):
        return True
    stem = bare[:-1].lower()
    is_initial = len(stem) == 1 and stem.isalpha() and bare[0].isupper()
    is_ordinal = stem.isdecimal() and len(stem) <= 2
    return not (stem in _ABBREVIATIONS or is_initial or is_ordinal)


def _longest(text: str, fits: Fits) -> int:
    """Return how many characters of the beginning fit, at least 1; longer beginnings are taken to have more tokens."""
    low, high = 1, min(64, len(text))
    while high < len(text) and fits(text[:high]):  # not the whole text at once: cutting tokens takes time
        low, high = high, min(2 * high, len(text))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle)
    return low


def _best_cut(text: str, limit: int) -> tuple[int, int]:
    """Return where the first part ends and the rest begins; no part is less than half of what fits without need."""
    head = text[:limit]
    for pattern, keeps_mark in ((_CLAUSE, True), (_SPACE, False)):
        for found in reversed(list(pattern.finditer(head))):
            if found.start() < limit // 2:
                break
            mark = found[0].rstrip() if keeps_mark else ""
            cut = found.start() + len(mark)
            if 0 < cut < limit:
                return cut, found.end()
    return limit, limit
