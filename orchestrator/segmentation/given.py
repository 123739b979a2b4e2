"""Cutting a clip's sound where a given transcript says, in place of voice activity detection."""

from collections.abc import Sequence

import numpy as np

from orchestrator.media.clip import Mono
from orchestrator.segmentation.vad import Chunk
from orchestrator.subtitles.cues import Line


class GivenSentences:
    """Cuts as `Segmenter` does: push samples, get the chunks that end in them, one for each sentence.

    Keeps no more sound than one sentence has.
    """

    def __init__(self, sentences: Sequence[Line], sample_rate_hz: int) -> None:
        """`sentences` in order and without overlap."""
        self._sentences = list(sentences)
        self._rate_hz = sample_rate_hz
        self._done = 0
        self._held: list[Mono] = []
        self._held_from = 0
        self._total = 0

    @property
    def settled_s(self) -> float:
        """Every sentence that starts before this time has been handed out."""
        if self._done < len(self._sentences):
            return self._sentences[self._done].start_ms / 1000
        return self._total / self._rate_hz

    def push(self, samples: Mono) -> list[Chunk]:
        """Take the next samples [n]; return the sentences that ended in them."""
        self._held.append(samples)
        self._total += len(samples)
        chunks = []
        while self._done < len(self._sentences) and self._at(self._sentences[self._done].end_ms) <= self._total:
            chunks.append(self._cut())
        self._forget()
        return chunks

    def flush(self) -> list[Chunk]:
        """End the stream: return the sentences that end behind the last sample. A second flush returns nothing."""
        return [self._cut() for _ in range(self._done, len(self._sentences))]

    def _at(self, ms: int) -> int:
        return round(ms * self._rate_hz / 1000)

    def _cut(self) -> Chunk:
        sentence = self._sentences[self._done]
        sound = np.concatenate([np.zeros(0, np.float32), *self._held])
        first, last = self._at(sentence.start_ms) - self._held_from, self._at(sentence.end_ms) - self._held_from
        chunk = Chunk(
            sequence=self._done,
            start_s=sentence.start_ms / 1000,
            end_s=sentence.end_ms / 1000,
            samples=sound[max(0, first) : max(0, last)].copy(),
            audio_start_s=sentence.start_ms / 1000,
            forced=False,
        )
        self._done += 1
        return chunk

    def _forget(self) -> None:
        """Drop the sound before the next sentence."""
        waiting = self._done < len(self._sentences)
        needed_from = self._at(self._sentences[self._done].start_ms) if waiting else self._total
        while self._held and self._held_from + len(self._held[0]) <= needed_from:
            self._held_from += len(self._held.pop(0))
