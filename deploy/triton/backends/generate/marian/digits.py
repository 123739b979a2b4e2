"""Numbers in digits: what a translation must not lose or change. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_NUMBER = re.compile(r"\d{1,3}(?:[.,'’\u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?")
"""With signs between thousands and before decimals, which differ from language to language: 1,234.5 and 1.234,5."""

_HOURS = 12


def numbers_of(text: str) -> Counter[str]:
    """Count the numbers of a text by their digits alone: "1,234.5" is 12345, whatever its signs and script."""
    return Counter(_plain(found[0]) for found in _NUMBER.finditer(text))


def keep_numbers(source: str, translation: str) -> tuple[str, tuple[str, ...]]:
    """Put a number right that the translation changed; return it and the source's numbers that it still lacks.

    Put right is only what is beyond doubt: one number of the source is missing, and one that the source does not have
    is there instead. Other ways to say the same stay: the hour of the 24-hour clock, the year without its century. A
    number that is missing may have become a word ("3" "tres"): whoever is told of it decides.
    """
    have, want = numbers_of(translation), numbers_of(source)
    missing, extra = list((want - have).elements()), list((have - want).elements())
    if len(missing) == len(extra) == 1:
        if _means_the_same(missing[0], extra[0]):
            return translation, ()
        return _replaced(translation, extra[0], _as_written(source, missing[0])), ()
    return translation, tuple(_as_written(source, number) for number in missing)


def _plain(written: str) -> str:
    return "".join(str(unicodedata.digit(char)) for char in written if char.isdigit())


def _means_the_same(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) == 2 and len(longer) == 4 and longer.endswith(shorter):  # 1990 and '90
        return True
    return len(longer) <= 2 and abs(int(one) - int(other)) == _HOURS and max(int(one), int(other)) <= 2 * _HOURS


def _as_written(text: str, number: str) -> str:
    return next(found[0] for found in _NUMBER.finditer(text) if _plain(found[0]) == number)


def _replaced(text: str, number: str, by: str) -> str:
    found = next(each for each in _NUMBER.finditer(text) if _plain(each[0]) == number)
    return f"{text[: found.start()]}{by}{text[found.end() :]}"
