"""From latents to sound, chunk by chunk: each frame is computed once, from just enough of its neighbours.

The vocoder's convolutions reach REACH_FRAMES to both sides. A window of frames therefore gives its inner part as the
whole would; only the edges of the whole sound are edges of a window too. So streamed sound is the one-shot sound, and
the work grows with the length, not with its square. Windows have one of a few lengths, for which the vocoder is
prepared at load.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generate.folder import FeedForward

from .interp import Interpolation

Floats = NDArray[np.float32]

REACH_FRAMES = 13
"""HiFi-GAN as XTTS has it (upsampling 8, 8, 2, 2; kernels 3, 7, 11 dilated 1, 3, 5) sees 12.7 frames to either side."""
_LAST_STEP = 32
"""Last windows are so many frames long, or twice as many ..."""
FADE_FRAMES = 1
"""Neighbouring windows are cross-faded over so many frames (10.7 ms): they differ by the rounding of reduced
precisions there, and by nothing else."""


@dataclass(frozen=True)
class Vocoder:
    """The graph, and how long its windows are."""

    graph: FeedForward
    hop: int
    """Samples a frame."""
    first_frames: int
    """Length of the first window."""
    later_frames: int
    """New frames of the others."""

    @property
    def window_frames(self) -> int:
        """Length of a window inside the sound."""
        return self.later_frames + 2 * REACH_FRAMES + FADE_FRAMES

    @property
    def last_frames(self) -> range:
        """Lengths of a last window; a longer rest is a window inside the sound and a rest."""
        return range(_LAST_STEP, self.window_frames + _LAST_STEP, _LAST_STEP)

    def prepare(self, width: int, embedding: int) -> None:
        """Run each length once: OpenVINO compiles for it when it first comes (0.1 to 0.2 s)."""
        for frames in {self.first_frames, self.window_frames, *self.last_frames}:
            self.sound(np.zeros((frames, width), np.float32), np.zeros((1, embedding), np.float32))

    def sound(self, frames: Floats, embedding: Floats) -> Floats:
        """[n, width] and [1, embedding] -> samples [n * hop]."""
        found: Floats = self.graph({"features": np.ascontiguousarray(frames.T[None]), "embedding": embedding})[0]
        return found[0]


class Speech:
    """The sound of one piece of text while its latents come."""

    def __init__(self, vocoder: Vocoder, interpolation: Interpolation, embedding: Floats) -> None:
        self._vocoder, self._interpolation, self._embedding = vocoder, interpolation, embedding
        self._latents: list[Floats] = []
        self._spoken = 0
        """Frames that were given out, those that are being faded left out."""
        self._fading: Floats = np.zeros(0, np.float32)
        """What the last window said of the frames after them."""

    def hear(self, latent: Floats) -> Iterator[Floats]:
        """Take a further latent [width]; yields the samples that can be told now."""
        self._latents.append(latent)
        while self._settled() >= self._next_end():
            yield self._window(self._next_end())

    def finish(self) -> Iterator[Floats]:
        """Yield the rest: there are no further latents."""
        total = self._interpolation.length(len(self._latents))
        while total - self._spoken > self._vocoder.last_frames[-1] - REACH_FRAMES and self._next_end() <= total:
            yield self._window(self._next_end())
        if total > self._spoken:
            yield self._last(total)

    def _settled(self) -> int:
        return self._interpolation.settled(len(self._latents))

    def _next_end(self) -> int:
        """Return where the next window ends."""
        if not self._spoken:
            return self._vocoder.first_frames
        return self._spoken + self._vocoder.later_frames + FADE_FRAMES + REACH_FRAMES

    def _window(self, end: int) -> Floats:
        """Say the frames up to REACH_FRAMES and the fade before `end`."""
        start = max(0, self._spoken - REACH_FRAMES)
        sound = self._sound(start, end)
        said_to = end - REACH_FRAMES - FADE_FRAMES
        hop = self._vocoder.hop
        told = self._faded(sound[(self._spoken - start) * hop : (said_to - start) * hop])
        self._fading = sound[(said_to - start) * hop : (said_to - start + FADE_FRAMES) * hop].copy()
        self._spoken = said_to
        return told

    def _last(self, total: int) -> Floats:
        """Say everything; the window is as long as one that is prepared, if there is so much."""
        needed = total - max(0, self._spoken - REACH_FRAMES)
        length = next((frames for frames in self._vocoder.last_frames if frames >= needed), needed)
        start = max(0, total - length)
        sound = self._sound(start, total)
        told = self._faded(sound[(self._spoken - start) * self._vocoder.hop :])
        self._spoken = total
        return told

    def _sound(self, start: int, end: int) -> Floats:
        latents = np.stack(self._latents)
        return self._vocoder.sound(self._interpolation.frames(latents, start, end), self._embedding)

    def _faded(self, samples: Floats) -> Floats:
        """Fade from the last window's idea of these samples to this one's."""
        count = min(len(self._fading), len(samples))
        if count:
            rising = (np.arange(count, dtype=np.float32) + 0.5) / count
            samples = samples.copy()
            samples[:count] = samples[:count] * rising + self._fading[:count] * (1 - rising)
        return samples
