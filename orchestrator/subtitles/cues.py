"""From sentences to cues: who reads them has the time to, and no two are ever on screen together."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.subtitles.layout import cue_texts
from orchestrator.subtitles.units import plain, width_of

READING_SPEED = 17
"""Columns a second that an adult reads with ease (a wide character is two)."""
MIN_CUE_MS = 1000
MAX_CUE_MS = 7000
"""A sentence that is spoken for longer is shown in parts, if it has several words."""
GAP_MS = 80
"""Two pictures at 25 a second without a cue tell the eye that the text has changed."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle. Times in whole milliseconds of the clip's clock."""

    start_ms: int
    end_ms: int
    text: str
    """One line or several, separated by line breaks, none of them empty."""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and when it is spoken."""

    start_ms: int
    end_ms: int
    text: str


def cues_of(lines: Iterable[Line], language: str, clip_end_ms: int) -> list[Cue]:
    """Return the cues of spoken sentences, given in any order; those without a text have none.

    A cue starts with its speech. Where its text could not be read in that time it stays on into the silence that
    follows. Sentences that overlap are cut where the next one starts.
    """
    spoken = [Line(line.start_ms, line.end_ms, plain(line.text)) for line in lines]
    spoken = sorted((line for line in spoken if line.text), key=lambda line: line.start_ms)
    cues: list[Cue] = []
    for line, following in itertools.zip_longest(spoken, spoken[1:]):
        start_ms = max(line.start_ms, cues[-1].end_ms if cues else 0)
        until_ms = _limit(start_ms, following.start_ms if following else None, clip_end_ms)
        cues += _cues(Line(start_ms, min(line.end_ms, until_ms), line.text), language, until_ms)
    return cues


def _limit(start_ms: int, next_start_ms: int | None, clip_end_ms: int) -> int:
    """Return when the cues of a sentence must be gone."""
    if next_start_ms is None:
        return max(clip_end_ms, start_ms + 1)
    with_gap_ms = next_start_ms - GAP_MS
    return max(with_gap_ms if with_gap_ms - start_ms > GAP_MS else next_start_ms, start_ms + 1)


def _cues(line: Line, language: str, until_ms: int) -> list[Cue]:
    texts = cue_texts(line.text, language, at_least=-(-(line.end_ms - line.start_ms) // MAX_CUE_MS))
    texts = _merged(texts, most=until_ms - line.start_ms)
    needs_ms = [_reading_ms(text) + GAP_MS for text in texts]
    needs_ms[-1] -= GAP_MS
    end_ms = min(until_ms, max(line.end_ms, line.start_ms + sum(needs_ms)))
    spoken_until_ms = line.end_ms if line.end_ms - line.start_ms >= sum(needs_ms) else end_ms
    shares = itertools.accumulate(needs_ms, initial=0)
    span_ms = spoken_until_ms - line.start_ms
    bounds = [line.start_ms + round(span_ms * share / sum(needs_ms)) for share in shares]
    bounds[-1] = max(end_ms, bounds[-2] + 1)
    return [
        Cue(first, last if number == len(texts) else _before(first, last), text)
        for number, (first, last, text) in enumerate(zip(bounds, bounds[1:], texts, strict=False), start=1)
    ]


def _reading_ms(text: str) -> int:
    return max(MIN_CUE_MS, round(1000 * width_of(text.replace("\n", " ")) / READING_SPEED))


def _before(first_ms: int, next_ms: int) -> int:
    """Return the end of a cue that another follows at once: a gap before it, if that leaves the better part."""
    return next_ms - GAP_MS if next_ms - first_ms > 2 * GAP_MS else max(next_ms, first_ms + 1)


def _merged(texts: list[str], most: int) -> list[str]:
    """Put texts together until they are `most`: so short a time does not divide into more."""
    most = max(most, 1)
    return texts if len(texts) <= most else [*texts[: most - 1], "\n".join(texts[most - 1 :])]
