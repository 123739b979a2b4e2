"""One number as words. Where the library fails, the figures are spoken one by one: no text is refused for its numbers.

num2words 0.5.14 (the original's) has no Hindi and no Czech ordinals, and gives up on numbers beyond a limit of each
language's own; the original fails there, or loses the number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from num2words import num2words
from num_to_words import num_to_word

_CZECH_ORDINALS = (
    *("", "první", "druhý", "třetí", "čtvrtý", "pátý", "šestý", "sedmý", "osmý", "devátý", "desátý"),
    *("jedenáctý", "dvanáctý", "třináctý", "čtrnáctý", "patnáctý", "šestnáctý", "sedmnáctý", "osmnáctý", "devatenáctý"),
)
_CZECH_TENS = ("dvacátý", "třicátý", "čtyřicátý", "padesátý", "šedesátý", "sedmdesátý", "osmdesátý", "devadesátý")
_HINDI_POINT = "दशमलव"


def cardinal(figures: str, language: str) -> str:
    """Say a whole number, given by its figures."""
    return _said(lambda: _words(figures, language)) or one_by_one(figures, language)


def ordinal(figures: str, language: str) -> str:
    """Say a place in a row; "" where the language has no word for it here."""
    if language == "cs":
        return _czech_ordinal(int(figures))
    return _said(lambda: num2words(int(figures), ordinal=True, lang=language))


def decimal(figures: str, language: str) -> str:
    """Say a number with a "." or "," before its decimals."""
    whole, fraction = figures.replace(",", ".").split(".")
    if language == "hi":
        return f"{cardinal(whole, language)} {_HINDI_POINT} {one_by_one(fraction, language)}"
    said = _said(lambda: num2words(float(f"{whole}.{fraction}"), lang=language))
    return said or f"{cardinal(whole, language)}, {one_by_one(fraction, language)}"


def amount(value: float, currency: str, language: str) -> str:
    """Say an amount of money, without its cents where there are none; `currency` as GBP. "": it cannot be said."""
    said = _said(lambda: num2words(value, to="currency", currency=currency, lang=language))
    main, joint, cents = said.rpartition(_BEFORE_CENTS.get(language, ", "))
    return main if joint and value.is_integer() and cents.startswith(cardinal("0", language)) else said


_BEFORE_CENTS = {"es": " con ", "fr": " et ", "de": " und ", "pt": " e ", "it": " e "}
"""Between the amount and its cents as num2words joins them; a comma elsewhere."""


def one_by_one(figures: str, language: str) -> str:
    """Say figures one by one, as of a telephone number."""
    return " ".join(_figure(figure, language) for figure in figures)


@lru_cache(maxsize=200)  # ten in each language
def _figure(figure: str, language: str) -> str:
    return _words(figure, language)  # every language has these ten: a failure here is one of ours, and shows


def _words(figures: str, language: str) -> str:
    if language == "hi":
        return str(num_to_word(figures, lang="hi", separator=" "))
    return str(num2words(int(figures), lang=language))


_CANNOT_SAY = (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)
"""What num2words was seen to raise over 17 languages, numbers up to 10 ** 310 and seven currencies, by their bases: a
number beyond its tables, a currency or a form that a language lacks, and its own mistakes."""


def _said(say: Callable[[], str]) -> str:
    """Return what num2words says; "" where it cannot say it, which callers then say otherwise."""
    try:
        return say()
    except _CANNOT_SAY:
        return ""


def _czech_ordinal(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    if not rest:
        return ""
    tens, ones = divmod(rest, 10)
    last = _CZECH_ORDINALS[rest] if rest < 20 else f"{_CZECH_TENS[tens - 2]} {_CZECH_ORDINALS[ones]}".strip()
    return f"{cardinal(f'{hundreds}00', 'cs')} {last}" if hundreds else last
