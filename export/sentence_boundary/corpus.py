"""The corpus in three sides: whole documents to learn from, to calibrate on, to test on, without near-duplicates."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from export.sentence_boundary.sentences import Run, runs
from export.sentence_boundary.sources import Document
from export.sentence_boundary.tokens import TOKENISER

SIDES = ("test", "validation", "train")
SHARES = {"test": 0.10, "validation": 0.06}
"""Of a group's sentences; the rest is trained on."""
MAX_SENTENCES = 26_000
"""Of one group: else the Bible would be most of what is learnt."""
SHINGLE_WORDS = 3
NEAR_DUPLICATE = 0.5
"""Jaccard similarity of two sentences' shingles from which they count as the same."""


@dataclass(frozen=True)
class Passage:
    """Sentences that follow each other, and where they come from."""

    group: str
    document: str
    language: str
    sentences: Run


Corpus = dict[str, list[Passage]]
"""By side."""


def split_corpus(documents: Iterable[Document], seed: int) -> Corpus:
    """Give every document to one side, group by group, then drop near-duplicates from the sides that are measured."""
    by_group: dict[str, list[list[Passage]]] = defaultdict(list)
    for document in documents:
        found = [Passage(document.group, document.name, document.language, run) for run in runs(document.paragraphs)]
        if found:
            by_group[document.group].append(found)
    corpus: Corpus = {side: [] for side in SIDES}
    for group in sorted(by_group):
        for side, passages in _split_group(by_group[group], random.Random(f"{seed} {group}")).items():  # noqa: S311 - repeatable
            corpus[side] += passages
    corpus["validation"] = without_near_duplicates(corpus["validation"], corpus["train"])
    corpus["test"] = without_near_duplicates(corpus["test"], corpus["train"] + corpus["validation"])
    return corpus


def count(passages: Iterable[Passage]) -> int:
    """Count the sentences."""
    return sum(len(passage.sentences) for passage in passages)


def without_near_duplicates(passages: Sequence[Passage], others: Sequence[Passage]) -> list[Passage]:
    """Drop every sentence that `others` have too, or nearly; what stood around it becomes passages of its own."""
    seen = NearDuplicates(sentence for other in others for sentence in other.sentences)
    kept: list[Passage] = []
    for passage in passages:
        run: list[str] = []
        for sentence in [*passage.sentences, ""]:
            if sentence and not seen.has(sentence):
                run.append(sentence)
            elif run:
                kept.append(Passage(passage.group, passage.document, passage.language, tuple(run)))
                run = []
    return kept


class NearDuplicates:
    """Finds sentences that share at least NEAR_DUPLICATE of their shingles with one that is known."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self._sizes: list[int] = []
        self._holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for number, sentence in enumerate(dict.fromkeys(map(_words, sentences))):
            found = _shingles(sentence)
            self._sizes.append(len(found))
            for shingle in found:
                self._holders[shingle].append(number)

    def has(self, sentence: str) -> bool:
        """Whether a known sentence is the same, or nearly."""
        wanted = _shingles(_words(sentence))
        shared: dict[int, int] = defaultdict(int)
        for shingle in wanted:
            for number in self._holders.get(shingle, ()):
                shared[number] += 1
        return any(
            same / (len(wanted) + self._sizes[number] - same) >= NEAR_DUPLICATE for number, same in shared.items()
        )


def _words(sentence: str) -> tuple[str, ...]:
    return tuple(token.lower() for token in TOKENISER.tokens_of(sentence) if token[0].isalnum())


def _shingles(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Return the runs of SHINGLE_WORDS words; a shorter sentence is one shingle."""
    if len(words) <= SHINGLE_WORDS:
        return {words}
    return {words[start : start + SHINGLE_WORDS] for start in range(len(words) - SHINGLE_WORDS + 1)}


def _split_group(documents: list[list[Passage]], rng: random.Random) -> Corpus:
    rng.shuffle(documents)
    total = min(MAX_SENTENCES, sum(count(passages) for passages in documents))
    sides: Corpus = {side: [] for side in SIDES}
    for passages in documents:
        wanting = [side for side in SIDES[:-1] if count(sides[side]) < SHARES[side] * total]
        side = wanting[0] if wanting else "train"
        size = count(passages)
        fits = side == "train" or size <= 2 * SHARES[side] * total
        sides[side if fits else "train"] += passages
    for side in SIDES:
        most = round(SHARES.get(side, 1 - sum(SHARES.values())) * MAX_SENTENCES)
        rng.shuffle(sides[side])
        sides[side] = _first(sides[side], most)
    return sides


def _first(passages: list[Passage], sentences: int) -> list[Passage]:
    taken: list[Passage] = []
    for passage in passages:
        if sentences <= 0:
            break
        taken.append(passage)
        sentences -= len(passage.sentences)
    return taken
