"""What is learnt from: all tokens of one side in a row, each with its answer, of which every step takes windows.

The network reads from left to right, so one window of 48 tokens trains on 48 texts: all that begin where it begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.sentence_boundary.corpus import Passage
from export.sentence_boundary.examples import CLAUSE_MARKS, CLAUSES, JOINTS
from export.sentence_boundary.styles import PUNCTUATED, SPEECH, speech_like
from export.sentence_boundary.tokens import TOKENISER

PAUSE_WEIGHT = 5.0
"""How much more the places inside a sentence count where people pause; as often as examples.py draws them."""
UNMARKED_WEIGHT = 0.18
"""Of the last word of a punctuated sentence: that its mark is missing is rare."""
SPURIOUS = 0.05
"""Share of the places inside a punctuated sentence that get a full stop."""
BEGIN_INSIDE = 0.15
"""Share of windows that do not begin with a sentence."""
HIDDEN, MISHEARD, UNCASED = 0.08, 0.03, 0.1
"""Share of words whose hashes are hidden; of words in speech that become another; of windows without capitals."""


@dataclass(frozen=True)
class Stream:
    """All tokens of one style in a row."""

    features: NDArray[np.int16]
    """[n, FEATURES]"""
    complete: NDArray[np.float32]
    """[n]: 1 where a sentence ends."""
    weights: NDArray[np.float32]
    """[n]: complete and incomplete places weigh as much in sum."""
    starts: NDArray[np.int64]
    """Where sentences begin."""
    chances: NDArray[np.float64]
    """Of each start; groups count by the square root of their size."""


def stream(passages: Sequence[Passage], style: str, seed: int) -> Stream:
    """Lay the sentences of the passages in a row, the passages in a drawn order."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, float, float]] = []
    starts, groups = [], []
    for number in rng.permutation(len(passages)):
        passage = passages[number]
        for sentence in passage.sentences:
            tokens = _spoken(sentence, passage.language) if style == SPEECH else _written(sentence, passage, rng)
            if tokens:
                starts.append(len(rows))
                groups.append(passage.group)
                rows += tokens
    features = np.array([TOKENISER.token_features(token) for token, _, _ in rows], np.int16)
    complete = np.array([answer for _, answer, _ in rows], np.float32)
    weights = np.array([weight for _, _, weight in rows], np.float32)
    for answer in (0.0, 1.0):
        weights[complete == answer] *= 0.5 * len(rows) / weights[complete == answer].sum()
    names, sizes = np.unique(groups, return_counts=True)
    chances = sizes[np.searchsorted(names, groups)] ** -0.5
    return Stream(features, complete, weights, np.array(starts, np.int64), chances / chances.sum())


Batch = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]
"""Tokens [n, TOKENS, FEATURES], answers [n, TOKENS], weights [n, TOKENS]."""


def draw(streams: dict[str, Stream], windows: int, rng: np.random.Generator) -> Batch:
    """Draw as many windows of every style, with the faults that recognisers make."""
    parts = [_windows(streams[style], windows, rng, style) for style in (PUNCTUATED, SPEECH)]
    tokens, complete, weights = (np.concatenate(each) for each in zip(*parts, strict=True))
    return tokens, complete, weights


def _windows(source: Stream, windows: int, rng: np.random.Generator, style: str) -> Batch:
    size = TOKENISER.TOKENS
    starts = rng.choice(source.starts, windows, p=source.chances)
    starts += np.where(rng.random(windows) < BEGIN_INSIDE, rng.integers(1, 12, windows), 0)
    places = np.minimum(starts, len(source.complete) - size)[:, None] + np.arange(size)
    tokens = source.features[places].astype(np.int64)
    if style == SPEECH:
        wrong = rng.random(places.shape) < MISHEARD
        tokens[wrong] = source.features[rng.integers(0, len(source.features), int(wrong.sum()))]
    else:
        uncased = (rng.random(windows) < UNCASED)[:, None] & (tokens[..., 3] >= 2) & (tokens[..., 3] <= 3)
        tokens[..., 3][uncased] = 1
    is_word = tokens[..., 3] < TOKENISER.DIGITS
    tokens[..., :2][is_word & (rng.random(places.shape) < HIDDEN)] = 0
    return tokens, source.complete[places], source.weights[places]


def _spoken(sentence: str, language: str) -> list[tuple[str, float, float]]:
    """Return words with answer and weight; nothing for a sentence that has no speech-like form."""
    if speech_like(sentence, language) is None:
        return []
    tokens = TOKENISER.tokens_of(sentence)
    rows: list[tuple[str, float, float]] = []
    for index, token in enumerate(tokens):
        spoken = (speech_like(token, language) or "").split()
        rows += [(word, 0.0, 1.0) for word in spoken]
        if spoken:
            rows[-1] = (rows[-1][0], 0.0, _weight_after(tokens, index, language))
    return [*rows[:-1], (rows[-1][0], 1.0, 1.0)] if rows else []


def _written(sentence: str, passage: Passage, rng: np.random.Generator) -> list[tuple[str, float, float]]:
    tokens = TOKENISER.tokens_of(sentence)
    words = [index for index, token in enumerate(tokens) if token[0].isalnum()]
    if not words:
        return []
    rows: list[tuple[str, float, float]] = []
    for index, token in enumerate(tokens):
        if index >= words[-1]:
            at_mark = index > words[-1]
            rows.append((token, 1.0, 1.0 if at_mark else UNMARKED_WEIGHT))
            continue
        rows.append((token, 0.0, _weight_after(tokens, index, passage.language)))
        if token[0].isalnum() and rng.random() < SPURIOUS:
            rows.append((".", 0.0, PAUSE_WEIGHT))
    return rows


def _weight_after(tokens: Sequence[str], index: int, language: str) -> float:
    """Return the weight of the place after this token: none where a clause often ends, for nobody can tell."""
    mark, ahead = tokens[index], [each.lower() for each in tokens[index + 1 : index + 3]]
    following = next((each for each in ahead if each != ","), "")
    if mark in CLAUSE_MARKS or following in CLAUSE_MARKS or following in CLAUSES[language]:
        return 0.0
    pauses = not mark[0].isalnum() or ahead[:1] == [","] or following in JOINTS[language]
    return PAUSE_WEIGHT if pauses else 1.0
