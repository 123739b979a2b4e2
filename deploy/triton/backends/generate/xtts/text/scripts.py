"""Whether a text can be spoken in a language: it has words, in letters that the language is written in. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from .languages import LANGUAGES, LATIN

_NOBODYS = frozenset({"MODIFIER", "MASCULINE", "FEMININE", "MICRO"})
"""Letters only by their category: ʼ, º, ª, µ."""


def has_words(text: str) -> bool:
    """Whether there is a letter or a figure in it."""
    return any(char.isalnum() for char in text)


def foreign_script(text: str, language: str) -> str:
    """Name the script of a text that is not written in the language's own letters; "" when it is.

    It is not when at least as many of its letters are of scripts that are neither the language's nor Latin as are of
    those: a foreign name inside a sentence is no mistake, and Latin names stand alone in every language.
    """
    welcome = LANGUAGES[language].scripts | LATIN | _NOBODYS
    scripts = [_script(char) for char in text if char.isalpha()]
    foreign = [script for script in scripts if script not in welcome]
    if not foreign or 2 * len(foreign) < len(scripts):
        return ""
    return max(set(foreign), key=lambda script: (foreign.count(script), script)).capitalize()


@lru_cache(maxsize=8192)
def _script(letter: str) -> str:
    name = unicodedata.name(unicodedata.normalize("NFKC", letter)[0], "UNKNOWN")
    return name.replace("-", " ").split()[0]
