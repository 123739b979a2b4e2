"""Which stretches of a clip's speech become the reference: the first that is understood, and what follows like it.

The recogniser tells where the first speech is: music and noise before it are no voice. What follows is not waited for
to be recognised, since that would hold up the first sentence: a chunk counts when it sounds like the first. So the
outcome depends on the chunks, and on what was heard up to the first speech, but never on who was faster.
"""

import math
from dataclasses import dataclass

from orchestrator.media.clip import Mono
from orchestrator.messages import SPEECH_SAMPLE_RATE_HZ
from orchestrator.segmentation.vad import Chunk
from orchestrator.settings import VoiceSettings
from orchestrator.voice.clearness import is_clear, is_usable
from orchestrator.voice.likeness import Shape, spectral_shape, unlikeness_db
from orchestrator.voice.reference import Reference, reference_pcm


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A chunk of the speaker's."""

    start_s: float
    """Of the speech."""
    end_s: float
    samples: Mono
    """16 kHz, from `audio_start_s` on."""
    audio_start_s: float
    clear: bool

    @property
    def duration_s(self) -> float:
        """Of the speech, as far as there is sound of it: a transcript may go on behind the clip's end."""
        return min(self.end_s, self.audio_start_s + len(self.samples) / SPEECH_SAMPLE_RATE_HZ) - self.start_s


class ReferenceChoice:
    """Chooses one reference of one clip. Holds the chunks until it has chosen, and no sound afterwards."""

    def __init__(self, settings: VoiceSettings, sound_starts_s: float = 0.0) -> None:
        """`sound_starts_s`: where the clip's sound begins on the source's clock."""
        self._settings = settings
        self._sound_starts_ms = round(sound_starts_s * 1000)
        self._cut: dict[int, Chunk] = {}
        self._heard: dict[int, bool] = {}
        self._next = 0
        self._first_shape: Shape | None = None
        self._stretches: list[_Stretch] = []
        self._until_s = math.inf
        self._settled_s = 0.0
        self.reference: Reference | None = None
        """Once it is chosen; its `pcm` is empty where the clip has too little speech."""

    def cut(self, chunk: Chunk) -> None:
        """Take the next chunk, in the order of speech; before it is heard."""
        if self.reference is None:
            self._cut[chunk.sequence] = chunk
            self._advance()

    def hear(self, number: int, *, speech: bool) -> None:
        """Take what was heard in the chunk of that number: words, or nothing that was understood."""
        if self.reference is None:
            self._heard[number] = speech
            self._advance()

    def settle(self, until_s: float) -> None:
        """Every chunk that starts before `until_s` was cut; infinity at the end of the sound."""
        self._settled_s = until_s
        if self.reference is None:
            self._advance()

    def _advance(self) -> None:
        """Judge the chunks in order, as far as is known; choose as soon as nothing that follows could matter."""
        while self._next in self._cut and (self._first_shape is not None or self._next in self._heard):
            chunk = self._cut.pop(self._next)
            if chunk.start_s < self._until_s:
                self._judge(chunk)
            if chunk.start_s >= self._until_s or self._clear_s >= self._settings.enough_s:
                self._choose()
                return
            self._next += 1
        if self._settled_s >= self._until_s and not self._cut:
            self._choose()

    def _judge(self, chunk: Chunk) -> None:
        """Take the chunk if it is the first speech, or like it."""
        if self._first_shape is None:
            if not self._heard[chunk.sequence] or not is_usable(chunk.samples, SPEECH_SAMPLE_RATE_HZ):
                return
            self._until_s = chunk.start_s + self._settings.search_s
            self._first_shape = spectral_shape(chunk.samples)
        elif not self._is_like_the_first(chunk):
            return
        clear = is_clear(chunk.samples, SPEECH_SAMPLE_RATE_HZ, self._settings.clear_db)
        self._stretches.append(_Stretch(chunk.start_s, chunk.end_s, chunk.samples, chunk.audio_start_s, clear))

    def _is_like_the_first(self, chunk: Chunk) -> bool:
        assert self._first_shape is not None
        unlike_db = unlikeness_db(self._first_shape, spectral_shape(chunk.samples))
        return unlike_db <= self._settings.alike_db and is_usable(chunk.samples, SPEECH_SAMPLE_RATE_HZ)

    @property
    def _clear_s(self) -> float:
        return sum(stretch.duration_s for stretch in self._stretches if stretch.clear)

    def _choose(self) -> None:
        stretches = [stretch for stretch in self._stretches if stretch.clear]
        if self._clear_s < self._settings.min_s:
            stretches = self._stretches
        self.reference = self._joined(stretches)
        self._stretches, self._cut, self._heard = [], {}, {}

    def _joined(self, stretches: list[_Stretch]) -> Reference:
        """Join the stretches from the first on, as far as there is room; nothing of less than `min_s` of speech."""
        if sum(stretch.duration_s for stretch in stretches) < self._settings.min_s:
            return Reference(pcm=b"", stretches_ms=(), sound_starts_ms=self._sound_starts_ms)
        pieces, taken = [], []
        room = round(self._settings.max_s * SPEECH_SAMPLE_RATE_HZ)
        for stretch in stretches:
            piece = stretch.samples[:room]
            last_s = stretch.audio_start_s + len(piece) / SPEECH_SAMPLE_RATE_HZ
            if last_s <= stretch.start_s:
                break
            pieces.append(piece)
            taken.append((round(stretch.start_s * 1000), round(min(stretch.end_s, last_s) * 1000)))
            room -= len(piece)
        return Reference(pcm=reference_pcm(pieces), stretches_ms=tuple(taken), sound_starts_ms=self._sound_starts_ms)
