"""Text before and after translation. Pure."""

import re
import unicodedata

_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "´": "'"})
"""Apertium knows contractions ("don't") with the straight apostrophe only."""

_SPACE_BEFORE_STOP = re.compile(r"\s+(?=[.,;!?](?:\s|$))")
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?…])\s+)[^\w]*")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_FIRST_PERSON = re.compile(r"I(?:['’][a-z]+)?")


def clean_source(text: str) -> str:
    """Make one line of it: control characters and line breaks become spaces, typographic quotes straight ones."""
    printable = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text.translate(_QUOTES))
    return " ".join(unicodedata.normalize("NFC", printable).split())


def tidy_translation(source: str, translation: str) -> str:
    """Close the gaps that a dropped pronoun leaves ("Hoy  quiero") and take back capitals that the source lacks.

    A text that Apertium drops altogether comes back as it was, as unknown words do.
    """
    line = _SPACE_BEFORE_STOP.sub("", " ".join(translation.split()))
    return _as_capital(source, line) if line else source


def _as_capital(source: str, line: str) -> str:
    """Fit the capitals: Apertium makes "Buenos días Todo el mundo" and "EL agua" of sentences in lower case."""
    capital_words = [
        word for word in _inner_words(source) if word != word.lower() and not _FIRST_PERSON.fullmatch(word)
    ]
    if not capital_words:
        starts = {start.end() for start in _SENTENCE_START.finditer(line)}
        line = _WORD.sub(lambda word: _soften(word[0], keep_first=word.start() in starts), line)
    return line[:1].upper() + line[1:] if source[:1].isupper() else line


def _inner_words(source: str) -> list[str]:
    """The words of `source`, those that begin a sentence only when they are written in capitals throughout."""
    starts = {start.end() for start in _SENTENCE_START.finditer(source)}
    words = [(word.start() in starts, word[0]) for word in _WORD.finditer(source)]
    return [word for is_start, word in words if not is_start or (len(word) > 1 and word.isupper())]


def _soften(word: str, *, keep_first: bool) -> str:
    return word[0] + word[1:].lower() if keep_first else word.lower()
