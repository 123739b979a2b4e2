"""Capitals: Opus-MT knows ordinary sentences, so shouting is made ordinary before and loud again after. Pure."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SHOUTED_WORDS = 2
"""So many words in capitals make a shout; a single one may be a name such as NASA."""
_FIRST_PERSON = re.compile(r"I(?:['’]\w+)?")
"""The English "I", "I'm", "I'LL"."""
_CAPITAL_NOUNS = frozenset({"de", "lb"})
"""Languages in which a word inside a sentence may have to begin with a capital."""


def is_shouted(text: str) -> bool:
    """Whether the text is all capitals: two or more words, no lower-case letter, a letter for each word and more."""
    words = _WORD.findall(text)
    letters = "".join(words)
    has_case = letters.upper() == letters and letters.lower() != letters
    return has_case and len(words) >= _SHOUTED_WORDS and len(letters) > len(words)


def quietened(text: str) -> str:
    """Write a shout as an ordinary sentence: lower case, the first letter and the English "I" as they are."""
    lowered = _WORD.sub(lambda word: word[0].capitalize() if _is_i(word[0]) else word[0].lower(), text)
    return _with_first(lowered, str.upper)


def as_in_source(source: str, translation: str, target_language: str) -> str:
    """Fit the translation's capitals to the source's: shouted all through, or the first letter alone.

    A first word that is a name in capitals, the English "I", or may be a German noun, keeps its capital.
    """
    if is_shouted(source):
        return translation.upper()
    first = next((char for char in source if char.isalpha()), "")
    if first.isupper():
        return _with_first(translation, str.upper)
    word = _WORD.search(translation)
    if first.islower() and word and word[0][1:].islower() | (len(word[0]) == 1):
        keeps = target_language in _CAPITAL_NOUNS or (target_language == "en" and _is_i(word[0]))
        return translation if keeps else _with_first(translation, str.lower)
    return translation


def _is_i(word: str) -> bool:
    return _FIRST_PERSON.fullmatch(word) is not None


def _with_first(text: str, change: object) -> str:
    for index, char in enumerate(text):
        if char.isalpha():
            return f"{text[:index]}{change(char)}{text[index + 1 :]}"
    return text
