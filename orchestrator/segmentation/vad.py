"""Voice activity detection on a stream: push samples, get chunks of speech (the paper's Table I).

The energy of frames decides (levels.py), a state machine cuts (runs.py), and this file keeps the samples. The result
depends on the samples alone, never on how they were sliced into pushes. Memory is bounded by the longest segment.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.segmentation.levels import frame_levels_dbfs
from orchestrator.segmentation.runs import Run, SpeechRuns
from orchestrator.settings import VadSettings

_BLOCK_FRAMES = 512
"""Frames whose levels are computed in one numpy call."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A stretch of speech; times are seconds since the first sample pushed."""

    sequence: int
    """0, 1, 2, …"""
    start_s: float
    """First frame of speech."""
    end_s: float
    """End of the last frame of speech."""
    samples: NDArray[np.float32]
    """Mono, from `audio_start_s` on: the speech and its padding."""
    audio_start_s: float
    """Where `samples` begins: at most padding_s before start_s."""
    forced: bool
    """Ended by max_segment_s; the next chunk goes on where its samples end, with nothing lost or doubled."""


class Segmenter:
    """Cuts one stream of mono samples into chunks of speech."""

    def __init__(self, settings: VadSettings, sample_rate_hz: int = 16_000) -> None:
        """Raises ValueError when a frame is no whole number of samples."""
        if sample_rate_hz * settings.frame_ms % 1000:
            raise ValueError(f"{settings.frame_ms} ms at {sample_rate_hz} Hz is no whole number of samples")
        self._rate = sample_rate_hz
        self._frame = sample_rate_hz * settings.frame_ms // 1000
        self._padding = round(settings.padding_s * sample_rate_hz)
        self._runs = SpeechRuns(settings)
        self._frames: deque[NDArray[np.float32]] = deque()
        self._first_kept = 0
        self._carry = np.zeros(0, np.float32)
        self._total = 0
        self._sequence = 0
        self._flushed = False

    @property
    def settled_s(self) -> float:
        """Every chunk whose speech starts before this time has been handed out: the open speech's start, or now."""
        return (self._total if self._flushed else self._runs.settled * self._frame) / self._rate

    @property
    def open_since_s(self) -> float | None:
        """Start of the speech that is going on, or None."""
        start = self._runs.open_start
        return None if start is None else start * self._frame / self._rate

    def push(self, samples: NDArray[np.float32]) -> list[Chunk]:
        """Take the next samples [n], -1..1; return the chunks that ended in them.

        Raises:
            ValueError: the samples are not one axis of finite float32, or the segmenter was flushed.
        """
        if self._flushed:
            raise ValueError("the segmenter was flushed: one segmenter serves one stream")
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise ValueError(f"samples must be float32 [n], got {samples.dtype} {list(samples.shape)}")
        if not np.isfinite(samples).all():
            raise ValueError("samples hold NaN or infinity")
        self._total += samples.size
        joined = np.concatenate([self._carry, samples])
        whole = joined.size - joined.size % self._frame
        self._carry = joined[whole:].copy()
        frames = joined[:whole].reshape(-1, self._frame)
        chunks: list[Chunk] = []
        for start in range(0, len(frames), _BLOCK_FRAMES):
            chunks += self._take(frames[start : start + _BLOCK_FRAMES])
        return chunks

    def flush(self) -> list[Chunk]:
        """End the stream: return the chunk that is open, if any. A second flush returns nothing."""
        if self._flushed:
            return []
        chunks = self._take(self._carry[np.newaxis]) if self._carry.size else []
        chunks += [self._chunk(run) for run in self._runs.flush()]
        self._flushed = True
        self._frames.clear()
        return chunks

    def _take(self, frames: NDArray[np.float32]) -> list[Chunk]:
        chunks: list[Chunk] = []
        for frame, level in zip(frames, frame_levels_dbfs(frames).tolist(), strict=True):
            self._frames.append(frame.copy())  # a view would keep the whole push alive
            chunks += [self._chunk(run) for run in self._runs.push(level)]
            self._forget()
        return chunks

    def _forget(self) -> None:
        """Drop the frames that no later chunk can need, not even as padding."""
        needed_from = self._runs.settled - -(-self._padding // self._frame)
        while self._first_kept < needed_from:
            self._frames.popleft()
            self._first_kept += 1

    def _chunk(self, run: Run) -> Chunk:
        start = max(run.start * self._frame - self._padding, run.left * self._frame)
        end = min(run.end * self._frame + self._padding, run.right * self._frame, self._total)
        chunk = Chunk(
            sequence=self._sequence,
            start_s=run.start * self._frame / self._rate,
            end_s=min(run.end * self._frame, self._total) / self._rate,
            samples=self._samples(start, end),
            audio_start_s=start / self._rate,
            forced=run.forced,
        )
        self._sequence += 1
        return chunk

    def _samples(self, start: int, end: int) -> NDArray[np.float32]:
        first = start // self._frame - self._first_kept
        last = -(-end // self._frame) - self._first_kept
        joined = np.concatenate([self._frames[i] for i in range(first, last)])
        offset = (self._first_kept + first) * self._frame
        return joined[start - offset : end - offset]
