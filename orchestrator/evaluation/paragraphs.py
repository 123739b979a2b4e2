"""The English paragraphs with their Spanish references. The project's own sentences, under its licence."""

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path

ENGLISH_SPANISH = Path(__file__).with_name("translation_en_es.tsv")
_COLUMNS = ["paragraph", "english", "spanish"]
_CLAUSE_END = "|"
"""Where a speaker may pause inside a sentence."""


@dataclass(frozen=True, slots=True)
class ReferenceSentence:
    """One sentence and what a person would say instead of it."""

    clauses: tuple[str, ...]
    """English, with its punctuation; a speaker may pause between any two."""
    spanish: str

    @property
    def english(self) -> str:
        """The whole sentence."""
        return " ".join(self.clauses)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What one speaker says in one breath of thought."""

    number: int
    sentences: tuple[ReferenceSentence, ...]

    @property
    def english(self) -> str:
        """All of it."""
        return " ".join(sentence.english for sentence in self.sentences)

    @property
    def spanish(self) -> str:
        """All of the reference."""
        return " ".join(sentence.spanish for sentence in self.sentences)


def read_paragraphs(path: Path = ENGLISH_SPANISH) -> list[Paragraph]:
    """Read a table of sentences: paragraph's number, English with `|` where a pause may be, Spanish; tab-separated.

    Raises:
        ValueError: a row is not so; the line is named.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or rows[0] != _COLUMNS:
        raise ValueError(f"{path.name}, line 1: expected the columns {', '.join(_COLUMNS)}")
    sentences = [(line, *_sentence(path, line, row)) for line, row in enumerate(rows[1:], start=2)]
    paragraphs: list[Paragraph] = []
    for number, group in itertools.groupby(sentences, key=lambda sentence: sentence[1]):
        rest = list(group)
        if any(known.number == number for known in paragraphs):
            raise ValueError(f"{path.name}, line {rest[0][0]}: paragraph {number} was finished before")
        paragraphs.append(Paragraph(number, tuple(sentence for _, _, sentence in rest)))
    return paragraphs


def _sentence(path: Path, line: int, row: list[str]) -> tuple[int, ReferenceSentence]:
    where = f"{path.name}, line {line}"
    if len(row) != len(_COLUMNS) or not row[0].isdigit():
        raise ValueError(f"{where}: expected a number, English and Spanish, separated by tabs")
    clauses = tuple(clause.strip() for clause in row[1].split(_CLAUSE_END))
    if not all(clauses) or not row[2].strip():
        raise ValueError(f"{where}: a part is empty")
    return int(row[0]), ReferenceSentence(clauses, row[2].strip())
