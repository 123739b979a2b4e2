"""The numbers of a text as words, for every language but Chinese and Japanese.

The order and the patterns are the original's (coqui-tts 0.28, TTS/tts/layers/xtts/tokenizer.py,
`expand_numbers_multilingual`): marks between thousands go, then money, decimals, ordinals, whole numbers. Its other
outcomes are kept even where they are odd (German "2023." at the end of a sentence is an ordinal), except where it fails
or says something else than is written:

* Hindi numbers and Czech ordinals, on which it fails; a Czech number with the full stop of the sentence is no ordinal
* a number that num2words cannot say is said figure by figure
* Arabic: it calls every currency riyal; here the number is followed by the currency's own name. So in Hindi
* Portuguese: of whole amounts it loses what follows the last "e": "$25" is "vinte" there
* Turkish: in "12.30" the first part is no ordinal
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import chain, zip_longest

from .number_words import amount, cardinal, decimal, ordinal

_COMMAS = re.compile(r"\b\d{1,3}(,\d{3})*(\.\d+)?\b")
_DOTS = re.compile(r"\b\d{1,3}(.\d{3})*(,\d+)?\b")  # any mark before three figures, as in the original
_INDIAN_COMMAS = re.compile(r"\b\d{1,3}(,\d{2,3})*,\d{3}\b")
_MONEY: Mapping[str, re.Pattern[str]] = {
    code: re.compile(rf"{sign}[0-9.,]*[0-9]|[0-9.,]*[0-9]{sign}")
    for code, sign in {"GBP": "£", "USD": r"\$", "EUR": "€"}.items()
}
_SIGN_BEFORE = re.compile(r"([£$€₹]) ?([0-9][0-9.,]*(?<=[0-9]))")
_DECIMAL = re.compile(r"[0-9]+[.,][0-9]+")
_NUMBER = re.compile(r"[0-9]+")
_ORDINAL: Mapping[str, re.Pattern[str]] = {
    language: re.compile(rf"([0-9]+)({endings})")
    for language, endings in {
        "en": r"st|nd|rd|th",
        "es": r"º|ª|er|o|a|os|as",
        "fr": r"º|ª|er|re|e|ème",
        "de": r"st|nd|rd|th|º|ª|\.(?=\s|$)",
        "pt": r"º|ª|o|a|os|as",
        "it": r"º|°|ª|o|a|i|e",
        "pl": r"º|ª|st|nd|rd|th",
        "ar": r"ون|ين|ث|ر|ى",
        "cs": r"\.(?=\s)",
        "ru": r"-й|-я|-е|-ое|-ье|-го",
        "nl": r"de|ste|e",
        "tr": r"\.(?![0-9])|inci|nci|uncu|üncü",
        "hu": r"\.|adik|edik|odik|ödik|ödike|ik",
        "ko": r"번째|번|차|째",
        "hi": r"st|nd|rd|th",
    }.items()
}


def expand_numbers(text: str, language: str) -> str:
    """Write the numbers of a text in small letters as words."""
    text = _without_thousands(text, language)
    text = _with_currency_behind(text) if language in ("ar", "hi") else _money_said(text, language)
    if language != "tr":
        text = _DECIMAL.sub(lambda found: decimal(found[0], language), text)
    text = _ORDINAL[language].sub(lambda found: _ordinal_said(found, language), text)
    return _NUMBER.sub(lambda found: cardinal(found[0], language), text)


def _without_thousands(text: str, language: str) -> str:
    if language in ("en", "ru"):
        return _COMMAS.sub(_without(","), text)
    if language == "hi":
        return _INDIAN_COMMAS.sub(_without(","), text)
    return _DOTS.sub(_without("."), text)


def _without(mark: str) -> Callable[[re.Match[str]], str]:
    return lambda found: found[0].replace(mark, "")


def _with_currency_behind(text: str) -> str:
    return _SIGN_BEFORE.sub(r"\2\1", text)


def _money_said(text: str, language: str) -> str:
    """Say amounts; with the first currency that cannot be said the rest stay signs and numbers, as in the original."""
    for code, pattern in _MONEY.items():
        said = [_amount_said(found[0], code, language) for found in pattern.finditer(text)]
        if not all(said):
            return text
        text = "".join(chain(*zip_longest(pattern.split(text), said, fillvalue="")))
    return text


def _amount_said(written: str, currency: str, language: str) -> str:
    figures = re.sub(r"[^0-9.]", "", written.replace(",", "."))
    try:
        value = float(figures)
    except ValueError:  # "1.234.567"
        return ""
    return amount(value, currency, language)


def _ordinal_said(found: re.Match[str], language: str) -> str:
    said = ordinal(found[1], language)
    if said:
        return said
    # Korean endings are words of their own ("times", "place"); those of the other languages mean nothing alone
    return cardinal(found[1], language) + (found[2] if language == "ko" else "")
