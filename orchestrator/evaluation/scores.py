"""BLEU and chrF++ by sacrebleu, as written and by the words alone; word errors of a recogniser."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from orchestrator.evaluation.bootstrap import ScoreOf, Statistics

_NO_WORD = re.compile(r"[^\w\s'-]|_")

METRICS: dict[str, Callable[[], Metric]] = {"bleu": BLEU, "chrf": lambda: CHRF(word_order=2)}
"""chrF with words up to pairs is chrF++."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One set of translations by one metric."""

    score: float
    """0..100."""
    statistics: Statistics
    score_of: ScoreOf
    signature: str
    """sacrebleu's: with it anybody can repeat the score."""


def scored(metric_name: str, translations: Sequence[str], references: Sequence[str]) -> Scored:
    """Score paragraphs, one reference each."""
    metric = METRICS[metric_name]()
    metric.corpus_score(translations, [references])  # sets what the signature tells
    # What a metric counts is told only to its subclasses; constraints.txt pins the version.
    statistics = np.array(metric._extract_corpus_statistics(translations, [references]), np.float64)

    def score_of(sums: NDArray[np.float64]) -> float:
        return float(metric._compute_score_from_stats(sums.astype(np.int64).tolist()).score)

    signature = metric.get_signature().format()
    return Scored(score_of(statistics.sum(axis=0)), statistics, score_of, signature)


def words_only(text: str) -> str:
    """Lower the letters and drop punctuation: what is heard of a text."""
    return " ".join(_NO_WORD.sub(" ", text).lower().split())


def word_error_rate(heard: Sequence[str], said: Sequence[str]) -> float:
    """Return substitutions, insertions and deletions over the words that were said, of all pairs together."""
    pairs = [(words_only(one).split(), words_only(other).split()) for one, other in zip(heard, said, strict=True)]
    errors = sum(_edits(one, other) for one, other in pairs)
    return errors / max(1, sum(len(other) for _, other in pairs))


def _edits(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the Levenshtein distance."""
    row = list(range(len(other) + 1))
    for number, word in enumerate(one, start=1):
        diagonal, row[0] = row[0], number
        for at, wanted in enumerate(other, start=1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (word != wanted))
    return row[-1]
