"""Paragraphs into sentences: those only of which both ends are certain."""

import re
from collections.abc import Iterable

from export.sentence_boundary.styles import words
from export.sentence_boundary.tokens import TOKENISER

MAX_WORDS = 40
"""Longer ones do not fit into what the network sees."""

Run = tuple[str, ...]
"""Sentences that follow each other in a text."""

_ABBREVIATIONS = words(
    "mr mrs ms dr st prof gen col capt lt sgt rev hon sr sra srta dra jr vs etc eg ie cf fig no vol pp p ed al approx "
    "inc ltd co dept univ assn bros d dña ud uds vd vds pág págs núm art cap ej admón avda excmo tel"
)
_END = re.compile(r"(?:\.{3}|[.?!…])[?!]*[\"'”’»)\]]*(?=\s+[\"'“‘«(\[¿¡—–-]*\s?[A-ZÁÉÍÓÚÜÑ¿¡0-9]|\s*$)")
_BEGIN = re.compile(r"[\"'“‘«(¿¡—–\s-]*[A-ZÁÉÍÓÚÜÑ]")
_FOREIGN = re.compile(r"[^\w\s.,;:?!…¿¡'\"“”‘’«»()—–%€$/&ºª-]|_|/|\s[.,;:]|\d{5}|https?|www", re.ASCII | re.IGNORECASE)
_LETTERS = "áéíóúüñÁÉÍÓÚÜÑàèìòùâêîôûäöëïçÀÈÇ"


def runs(paragraphs: Iterable[str]) -> list[Run]:
    """Return the sound sentences of each paragraph; a doubtful one ends a run and the next begins another."""
    found: list[Run] = []
    for paragraph in paragraphs:
        run: list[str] = []
        for sentence in [*split(paragraph), ""]:
            if sentence and is_sound(sentence):
                run.append(sentence)
            elif run:
                found.append(tuple(run))
                run = []
    return found


def split(paragraph: str) -> list[str]:
    """Cut a paragraph after each mark that ends a sentence: not after an abbreviation, an initial or a number."""
    pieces, start = [], 0
    for match in _END.finditer(paragraph):
        if match.group().startswith(".") and _is_abbreviated(paragraph[start : match.start()], match.group()):
            continue
        pieces.append(paragraph[start : match.end()].strip())
        start = match.end()
    rest = paragraph[start:].strip()
    return [*pieces, rest] if rest else pieces


def is_sound(sentence: str) -> bool:
    """Whether this is one whole sentence of plain words, at most MAX_WORDS long."""
    spoken = [token for token in TOKENISER.tokens_of(sentence) if token[0].isalnum()]
    if not 1 <= len(spoken) <= MAX_WORDS or not _BEGIN.match(sentence):
        return False
    if not re.search(r"[.?!…][\"'”’»)\]]*$", sentence) or sentence.count("(") != sentence.count(")"):
        return False
    if _FOREIGN.search(sentence.translate(str.maketrans("", "", _LETTERS))):
        return False
    shouted = sum(word.isupper() and len(word) > 1 for word in spoken)
    named = sum(word[0].isupper() for word in spoken[1:])
    return shouted <= 1 and named <= max(2, 0.4 * len(spoken)) and sum(map(str.isalpha, sentence)) > 0.5 * len(sentence)


def _is_abbreviated(before: str, mark: str) -> bool:
    word = re.search(r"[\w.]*$", before)
    last = word.group().lower().rstrip(".") if word else ""
    if mark.startswith("..") or not last:
        return False
    tail = last.split(".")[-1]
    return (
        tail in _ABBREVIATIONS
        or (len(tail) == 1 and tail.isalpha() and tail not in "aioyue")
        or ("." in last and not last[-1].isdigit())
    )
