"""From the decoder's bare words to text that a translator reads well. Pure."""

import re
from collections.abc import Sequence

_VARIANT = re.compile(r"\(\d+\)$")
"""The dictionary marks further pronunciations: "the(2)"."""

_FIRST_PERSON = re.compile(r"\bi\b")
"""Also in "i'm" and "i'll"; Apertium knows the pronoun only as a capital."""

_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_COMPOUND_NUMBER = re.compile(rf"\b({_TENS}) ({_UNITS})\b")


def bare_word(dictionary_word: str) -> str:
    """Strip the mark of a further pronunciation: "the(2)" is "the"."""
    return _VARIANT.sub("", dictionary_word)


def tidy_transcript(words: Sequence[str]) -> str:
    """Join lower-case words into a line with a capital in front, "I" as a capital, and "twenty-five" hyphenated.

    Numbers stay words. No full stop is put at the end: whether a sentence ended there is not heard here.
    """
    line = " ".join(words)
    line = _FIRST_PERSON.sub("I", line)
    line = _COMPOUND_NUMBER.sub(r"\1-\2", line)
    return line[:1].upper() + line[1:]
