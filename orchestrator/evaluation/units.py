"""What is translated at once: chunks as pauses cut them, sentences as the gate joins them or the reference has them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from orchestrator.evaluation.speech import SpokenParagraph
from orchestrator.segmentation.joining import is_punctuated, join_texts
from orchestrator.segmentation.sentences import Decided, Judge, SentenceGate

_FIRST_PERSON = re.compile(r"\bi\b")
"""Also in "i'm" and "i'll"."""
_SAME_PLACE_S = 0.25
"""An edge so near the edge of a sentence is that edge: less than half of any pause."""


@dataclass(frozen=True, slots=True)
class HeardChunk:
    """A chunk and what was understood of it. Milliseconds of the paragraph's sound."""

    start_ms: int
    end_ms: int
    text: str
    """"" when it is no speech."""
    language: str
    """ISO 639-1."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A text that is translated at once. Milliseconds of the paragraph's sound."""

    start_ms: int
    end_ms: int
    text: str


def by_pauses(chunks: Sequence[HeardChunk]) -> list[Unit]:
    """Take every chunk with speech for a sentence."""
    return [Unit(chunk.start_ms, chunk.end_ms, chunk.text) for chunk in chunks if chunk.text]


def by_gate(chunks: Sequence[HeardChunk], judge: Judge, max_sentence_ms: int, duration_ms: int) -> list[Unit]:
    """Let the sentence gate join them, in the order of speech."""
    gate = SentenceGate(judge, max_sentence_ms)
    decided: list[Decided] = []
    for number, chunk in enumerate(chunks):
        decided += gate.settle(chunk.start_ms)
        decided += gate.cut(number, chunk.start_ms, chunk.end_ms)
        decided += gate.hear(number, chunk.text, chunk.language)
    decided += gate.end(duration_ms)
    return [
        Unit(chunks[one.chunks[0]].start_ms, chunks[one.chunks[-1]].end_ms, one.text) for one in decided if one.text
    ]


def by_reference(chunks: Sequence[HeardChunk], spoken: SpokenParagraph) -> list[Unit]:
    """Join the chunks that belong to the same sentence of the reference: the best that joining can do."""
    spans = spoken.sentence_spans_s()
    sentences: dict[int, list[HeardChunk]] = {}
    for chunk in chunks:
        if chunk.text:
            sentences.setdefault(_most_overlapped(chunk.start_ms, chunk.end_ms, spans), []).append(chunk)
    return [
        Unit(joined[0].start_ms, joined[-1].end_ms, join_texts([chunk.text for chunk in joined]))
        for _, joined in sorted(sentences.items())
    ]


def with_true_texts(
    chunks: Sequence[HeardChunk], spoken: SpokenParagraph, write: Callable[[str], str]
) -> list[HeardChunk]:
    """Put what was really said in place of what was understood, as `write` writes it down.

    An utterance that was cut by force belongs to the chunk that has most of it.
    """
    spans = [(chunk.start_ms / 1000, chunk.end_ms / 1000) for chunk in chunks]
    said: list[list[str]] = [[] for _ in chunks]
    for piece in spoken.pieces:
        said[_most_overlapped(round(piece.start_s * 1000), round(piece.end_s * 1000), spans)].append(piece.text)
    return [
        replace(chunk, text=write(" ".join(texts)), language="en") for chunk, texts in zip(chunks, said, strict=True)
    ]


def as_recognised(text: str) -> str:
    """Write English as a recogniser without punctuation does: a capital in front, and for "I" alone."""
    words = "".join(letter for letter in text if not is_punctuated(letter)).lower().split()
    line = _FIRST_PERSON.sub("I", " ".join(words))
    return line[:1].upper() + line[1:]


def is_complete(unit: Unit, spoken: SpokenParagraph) -> bool:
    """Tell whether it begins where a sentence begins and ends where one ends."""
    spans = spoken.sentence_spans_s()
    starts = any(abs(unit.start_ms / 1000 - start_s) <= _SAME_PLACE_S for start_s, _ in spans)
    return starts and any(abs(unit.end_ms / 1000 - end_s) <= _SAME_PLACE_S for _, end_s in spans)


def is_one_sentence(unit: Unit, spoken: SpokenParagraph) -> bool:
    """Tell whether it is exactly one sentence of the reference."""
    return any(
        abs(unit.start_ms / 1000 - start_s) <= _SAME_PLACE_S and abs(unit.end_ms / 1000 - end_s) <= _SAME_PLACE_S
        for start_s, end_s in spoken.sentence_spans_s()
    )


def _most_overlapped(start_ms: int, end_ms: int, spans_s: Sequence[tuple[float, float]]) -> int:
    """Return which span shares most with start..end; if none does, the nearest."""
    shared = [min(end_ms / 1000, end_s) - max(start_ms / 1000, start_s) for start_s, end_s in spans_s]
    return max(range(len(shared)), key=lambda number: shared[number])
