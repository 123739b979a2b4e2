"""Terms whose translation somebody has fixed, kept through machine translation. Pure; the engine is an argument.

Terms are found without regard to case, whole words only, the longest first. An engine's own translation is taken where
it says what is wanted, for then its grammar fits. Otherwise each term travels as an invented name, which engines carry
through as they carry names, and comes back as what is wanted. An engine that loses one of them is asked for the term
alone, and that is replaced in its translation. What all of this cannot keep is told.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.errors import GlossaryRefused

MAX_TERMS = 200
MAX_CHARACTERS = 100
"""Of a term, and of its translation."""
_MARK = "Qzx"
"""With a letter after it an invented name: letters alone, for digits and signs are translated or dropped by some."""
_MAX_MARKS = 26

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A translation under a glossary."""

    text: str
    missed: tuple[str, ...] = ()
    """Terms of the source text that it does not say as the glossary wants."""


def parse_glossary(text: str) -> dict[str, str]:
    """Read a JSON object of terms and translations; "" is an empty one. Raises GlossaryRefused."""
    try:
        pairs = json.loads(text, object_pairs_hook=_pairs) if text.strip() else []
    except (ValueError, RecursionError) as error:
        raise GlossaryRefused(f"glossary: not JSON ({error})") from error
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise GlossaryRefused('glossary: must be a JSON object such as {"moon shot": "gran salto"}')
    if len(pairs) > MAX_TERMS:
        raise GlossaryRefused(f"glossary: has {len(pairs)} terms, {MAX_TERMS} are allowed")
    glossary: dict[str, str] = {}
    seen = set()
    for term, wanted in pairs:
        term, wanted = _checked("term", term), _checked(f"translation of {str(term)[:MAX_CHARACTERS]!r}", wanted)
        if term.casefold() in seen:
            raise GlossaryRefused(f"glossary: the term {term!r} comes twice (case does not count)")
        seen.add(term.casefold())
        glossary[term] = wanted
    return glossary


def terms_in(text: str, glossary: Mapping[str, str]) -> dict[str, str]:
    """Return the part of the glossary that `text` needs, in the order of the text."""
    if not glossary:
        return {}
    by_fold = {_folded(term): term for term in glossary}
    found = (by_fold[_folded(match[0])] for match in _any_of(glossary).finditer(text))
    return {term: glossary[term] for term in found}


def translate_with(text: str, glossary: Mapping[str, str], translate: Translate) -> Kept:
    """Translate `text` so that it says the terms as the glossary wants; raises what `translate` raises."""
    wanted = terms_in(text, glossary)
    plain = translate(text)
    best = _missed(text, plain, wanted)
    if not best:
        return Kept(_as_wanted(plain, wanted.values()))
    marked = _through_marks(text, wanted, translate)
    if marked is not None:
        return Kept(_capital(text, marked))
    replaced = plain
    for term in best:
        replaced = _replaced(replaced, translate(term), wanted[term])
    return Kept(_as_wanted(replaced, wanted.values()), tuple(_missed(text, replaced, wanted)))


def _pairs(pairs: list[tuple[str, object]]) -> list[tuple[str, object]]:
    return pairs


def _checked(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise GlossaryRefused(f"glossary: the {what} must be a text")
    text = " ".join(value.split())
    if not any(character.isalnum() for character in text) or not text.isprintable():
        raise GlossaryRefused(f"glossary: the {what} has nothing that can be said")
    if len(text) > MAX_CHARACTERS:
        raise GlossaryRefused(f"glossary: the {what} has {len(text)} characters, {MAX_CHARACTERS} are allowed")
    return text


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _word(text: str) -> str:
    return r"\s+".join(map(re.escape, text.split()))


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(_word, longest_first))})(?!\w)", re.IGNORECASE)


def _count(text: str, term: str) -> int:
    return len(_any_of([term]).findall(text))


def _missed(text: str, translation: str, wanted: Mapping[str, str]) -> list[str]:
    """Return the terms that the translation says less often than the text does (two terms may have one translation)."""
    by_fold = {_folded(term): term for term in wanted}
    needed: dict[str, int] = {}
    for match in _any_of(wanted).finditer(text) if wanted else ():
        said = _folded(wanted[by_fold[_folded(match[0])]])
        needed[said] = needed.get(said, 0) + 1
    return [term for term, said in wanted.items() if _count(translation, said) < needed[_folded(said)]]


def _as_wanted(translation: str, wanted: Iterable[str]) -> str:
    """Write what the engine found by itself as the glossary writes it; a capital at the start of it stays."""

    for said in wanted:
        translation = _any_of([said]).sub(lambda match, said=said: _like(match[0], said), translation)  # type: ignore[misc]
    return translation


def _like(found: str, wanted: str) -> str:
    return wanted[:1].upper() + wanted[1:] if found[:1].isupper() else wanted


def _through_marks(text: str, wanted: Mapping[str, str], translate: Translate) -> str | None:
    """Return the translation by way of invented names; None when not every one of them came back."""
    if len(wanted) > _MAX_MARKS or _MARK.casefold() in text.casefold():
        return None
    marks = {_folded(term): f"{_MARK}{chr(ord('a') + index)}" for index, term in enumerate(wanted)}
    marked = _any_of(wanted).sub(lambda match: marks[_folded(match[0])], text)
    translation = translate(marked)
    for term, said in wanted.items():
        mark = marks[_folded(term)]
        if _count(translation, mark) != _count(marked, mark):
            return None
        translation = _any_of([mark]).sub(lambda _match, said=said: said, translation)  # type: ignore[misc]
    return translation


def _capital(source: str, translation: str) -> str:
    return translation[:1].upper() + translation[1:] if source[:1].isupper() else translation


def _replaced(translation: str, alone: str, wanted: str) -> str:
    """Replace the engine's own translation of a term."""
    said = alone.strip().rstrip(".!?")
    return _any_of([said]).sub(lambda match: _like(match[0], wanted), translation) if said else translation
