"""From chunks to sentences: a pure state machine that joins chunks until their text is a whole sentence. No I/O here.

A pause ends a chunk; its transcript is judged together with those before it. Which chunks become one sentence depends
on the chunks, their transcripts and the judge alone, never on the order in which transcripts come back: chunks are
looked at in the order of speech, and nothing is decided about one before everything that matters for it is known.

Times are whole milliseconds of the source's clock.
"""

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.segmentation.joining import join_texts


class Gate(StrEnum):
    """What ended a sentence."""

    MODEL = "model"
    """The boundary engine's score reached the threshold."""
    PUNCTUATION = "punctuation"
    """The boundary engine could not be asked, and the text ends with a full stop, question or exclamation mark."""
    PAUSE = "pause"
    """The silence after it was too long for a pause within a sentence."""
    FORCED = "forced"
    """With the next chunk it would be longer than a sentence may be."""
    LANGUAGE = "language"
    """The next chunk speaks another language."""
    END = "end"
    """The sound ended."""
    OFF = "off"
    """The gate is switched off: every chunk counts as a sentence."""
    TRANSCRIPT = "transcript"
    """Nothing was heard: a transcript was given, and says what the sentences are."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge thinks of the text so far."""

    complete: bool
    """It is a whole sentence."""
    by: Gate
    """What decided that."""
    pause_ms: int = 0
    """A silence of so long after it ends the sentence although it is not complete."""
    score: float | None = None
    """0..1, of the boundary engine; None when it was not asked."""
    fallback: str = ""
    """Why the engine was not asked; "" when it was."""


Judge = Callable[[str, str], Opinion]
"""text so far, its language (ISO 639-1, or "" if unknown) -> opinion."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What has become of one or several chunks that follow each other."""

    chunks: tuple[int, ...]
    """Their numbers."""
    text: str
    """The sentence; "" for a chunk without speech, which comes alone."""
    language: str = ""
    gate: Gate | None = None
    """None: no speech."""
    opinion: Opinion | None = None
    """The last one; None: no speech."""


@dataclass(slots=True)
class _Chunk:
    number: int
    start_ms: int
    end_ms: int
    heard: bool = False
    text: str = ""
    """"" when it is no speech."""
    language: str = ""


class SentenceGate:
    """Tell it what is cut and heard; each call returns what that decides, in the order of speech. One thread's."""

    def __init__(self, judge: Judge, max_sentence_ms: int) -> None:
        """No sentence of several chunks lasts longer than `max_sentence_ms` from its start to its end."""
        self._judge = judge
        self._max_ms = max_sentence_ms
        self._waiting: deque[_Chunk] = deque()
        """Undecided, in the order of speech; the open sentence is at the front."""
        self._by_number: dict[int, _Chunk] = {}
        self._joined = 0
        """How many of them are the open sentence."""
        self._opinion: Opinion | None = None
        """Of the open sentence."""
        self._settled_ms = 0
        self._ended = False

    @property
    def starving(self) -> bool:
        """Every chunk that was cut has been heard, and what is open needs to know what follows."""
        return bool(self._waiting) and not self._ended and all(chunk.heard for chunk in self._waiting)

    def cut(self, number: int, start_ms: int, end_ms: int) -> list[Decided]:
        """A chunk lies at start..end. Calls come in the order of speech."""
        chunk = self._by_number[number] = _Chunk(number, start_ms, end_ms)
        self._waiting.append(chunk)
        return self._advance()

    def hear(self, number: int, text: str, language: str) -> list[Decided]:
        """The chunk says `text`; "" when it is no speech. Calls come in any order; a repeated one changes nothing."""
        chunk = self._by_number.get(number)
        if chunk is not None and not chunk.heard:
            chunk.heard, chunk.text, chunk.language = True, text, language
        return self._advance()

    def settle(self, until_ms: int) -> list[Decided]:
        """Every chunk that starts before `until_ms` has been cut."""
        self._settled_ms = max(self._settled_ms, until_ms)
        return self._advance()

    def end(self, until_ms: int) -> list[Decided]:
        """No chunk follows; the sound ends at `until_ms`."""
        self._ended = True
        return self.settle(until_ms)

    def _advance(self) -> list[Decided]:
        decided: list[Decided] = []
        while self._waiting:
            step = self._begin() if self._joined == 0 else self._go_on()
            if step is None:
                break
            decided += step
        return decided

    def _begin(self) -> list[Decided] | None:
        """Look at the first chunk of a sentence; None: not heard yet."""
        first = self._waiting[0]
        if not first.heard:
            return None
        if not first.text:
            self._forget(1)
            return [Decided((first.number,), "")]
        return self._join(1)

    def _go_on(self) -> list[Decided] | None:
        """Look at what follows the open sentence; None: that is not known yet."""
        assert self._opinion is not None
        if self._opinion.complete:
            return self._close(self._opinion.by)
        first, last = self._waiting[0], self._waiting[self._joined - 1]
        pause_until_ms = last.end_ms + self._opinion.pause_ms
        for count, chunk in enumerate(self._waiting, start=1):
            if count <= self._joined:
                continue
            if chunk.start_ms >= pause_until_ms:
                return self._close(Gate.PAUSE)
            if chunk.end_ms - first.start_ms > self._max_ms:
                return self._close(Gate.FORCED)
            if not chunk.heard:
                return None
            if chunk.text:  # else a noise: what follows it may still belong to the sentence
                return self._close(Gate.LANGUAGE) if self._changes(chunk.language) else self._join(count)
        if self._settled_ms >= pause_until_ms:
            return self._close(Gate.PAUSE)
        return self._close(Gate.END) if self._ended else None

    def _join(self, count: int) -> list[Decided]:
        self._joined = count
        self._opinion = self._judge(self._text(), self._language())
        return []

    def _close(self, gate: Gate) -> list[Decided]:
        numbers = tuple(chunk.number for chunk in self._open())
        sentence = Decided(numbers, self._text(), self._language(), gate, self._opinion)
        self._forget(self._joined)
        self._joined, self._opinion = 0, None
        return [sentence]

    def _forget(self, count: int) -> None:
        for _ in range(count):
            del self._by_number[self._waiting.popleft().number]

    def _open(self) -> list[_Chunk]:
        return list(itertools.islice(self._waiting, self._joined))

    def _text(self) -> str:
        return join_texts([chunk.text for chunk in self._open()])

    def _language(self) -> str:
        return next((chunk.language for chunk in self._open() if chunk.text and chunk.language), "")

    def _changes(self, language: str) -> bool:
        return bool(language) and self._language() not in ("", language)
