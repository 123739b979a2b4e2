"""The two styles in which recognisers print what they heard."""

import re

from export.sentence_boundary.tokens import TOKENISER

PUNCTUATED, SPEECH = "punctuated", "speech"
STYLES = (PUNCTUATED, SPEECH)

_UP_TO_20 = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}


def words(text: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(text.split())


def speech_like(sentence: str, language: str) -> str | None:
    """Return the words in lower case without marks, numbers below 100 as words; None when other numbers are there."""
    spoken = []
    for token in TOKENISER.tokens_of(sentence):
        if token[0].isdigit():
            if not re.fullmatch(r"\d{1,2}", token):
                return None
            spoken += spelled(int(token), language)
        elif token[0].isalpha():
            spoken.append(token.lower())
    return " ".join(spoken)


def spelled(number: int, language: str) -> list[str]:
    """Write 0..99 as words."""
    small = _UP_TO_20[language].split()
    if number < len(small):
        return [small[number]]
    tens, ones = divmod(number, 10)
    written = [_TENS[language].split()[tens - 2]]
    if language == "es" and tens == 2:
        return ["veinti" + small[ones]]
    if not ones:
        return written
    return [*written, "y", small[ones]] if language == "es" else [*written, small[ones]]
