"""How loud each frame is, and how loud a frame must be to count as speech, both on a stream."""

from bisect import bisect_left, insort
from collections import deque

import numpy as np
from numpy.typing import NDArray

from orchestrator.settings import VadSettings

SILENCE_DBFS = -200.0
"""Level of digital silence."""

SUSTAINED_MS = 60
"""A level counts for the peak, and sound for speech, when it lasts so long: a click does not."""

_MEMORY_S = 10.0
"""How far back the noise and the support of the peak are looked for: the longest segment's length."""

_NOISE_QUANTILE = 0.05
"""Speech falls back to the noise between words: its quietest twentieth is the noise."""

_MIN_NOISE_S = 2.0
"""Audio needed before the noise is estimated."""

_NOISE_CAP_DB = 12.0
"""The noise guard never rises nearer to the peak than this: a steady tone is not noise, a soft onset stays speech."""

_VARYING_DB = 12.0
"""Speech varies by more than this within the memory; hum and hiss do not."""

_DECAY_DB_PER_S = 2.0
"""Of a peak that nothing in the memory supports any more, while sound that varies like speech goes on."""


def sustained_frames(frame_ms: int) -> int:
    """Return how many frames SUSTAINED_MS are (a click that straddles two frames must not fill them)."""
    return max(3 if frame_ms <= 20 else 2, round(SUSTAINED_MS / frame_ms))


def frame_levels_dbfs(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """RMS level of each frame [k, n] without its DC part, in dB of full scale; SILENCE_DBFS for a constant frame."""
    power = frames.astype(np.float64).var(axis=1)
    levels: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 10.0 ** (SILENCE_DBFS / 10.0)))
    return levels


class SpeechThreshold:
    """The level above which a frame is speech: `threshold_db` below the running peak, never below `floor_dbfs`.

    Two things make the paper's rule fit for a stream and for a noisy room:

    - The running peak rises at once (within 60 ms) and holds. A peak that nothing reached for 10 s sinks by
      2 dB/s, but only while sound that varies like speech goes on: one slammed door does not deafen the rest, and a
      long silence does not turn the room's noise into speech.
    - The threshold also stays `noise_margin_db` above the noise (the quietest 5 % of the last 10 s), so that a room
      only 25 dB below the voice still has pauses. In a quiet recording this changes nothing.
    """

    def __init__(self, settings: VadSettings) -> None:
        self._settings = settings
        self._frame_s = settings.frame_ms / 1000
        self._memory_frames = round(_MEMORY_S / self._frame_s)
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []
        self._peaks: deque[tuple[int, float]] = deque()
        self._count = 0
        self._peak_dbfs = SILENCE_DBFS
        self._tail: deque[float] = deque(maxlen=sustained_frames(settings.frame_ms))

    def update(self, level_dbfs: float) -> float:
        """Take one frame's level and return the threshold that holds for it."""
        self._remember(level_dbfs)
        recent_peak = self._recent_peak(level_dbfs)
        self._peak_dbfs = max(self._decayed(recent_peak), recent_peak)
        threshold = self._peak_dbfs + self._settings.threshold_db
        return max(threshold, self._noise_guard(), self._settings.floor_dbfs)

    def _remember(self, level_dbfs: float) -> None:
        if len(self._recent) == self._memory_frames:
            del self._sorted[bisect_left(self._sorted, self._recent.popleft())]
        self._recent.append(level_dbfs)
        insort(self._sorted, level_dbfs)
        self._count += 1

    def _recent_peak(self, level_dbfs: float) -> float:
        """The highest sustained level within the memory (a monotonic queue: constant work a frame)."""
        self._tail.append(level_dbfs)
        sustained = min(self._tail) if len(self._tail) == self._tail.maxlen else SILENCE_DBFS
        while self._peaks and self._peaks[-1][1] <= sustained:
            self._peaks.pop()
        self._peaks.append((self._count, sustained))
        if self._peaks[0][0] <= self._count - self._memory_frames:
            self._peaks.popleft()
        return self._peaks[0][1]

    def _decayed(self, recent_peak_dbfs: float) -> float:
        varies = recent_peak_dbfs - max(self._noise(), self._settings.floor_dbfs) > _VARYING_DB
        return self._peak_dbfs - _DECAY_DB_PER_S * self._frame_s if varies else self._peak_dbfs

    def _noise(self) -> float:
        return self._sorted[int(len(self._sorted) * _NOISE_QUANTILE)]

    def _noise_guard(self) -> float:
        if self._settings.noise_margin_db == 0 or len(self._sorted) * self._frame_s < _MIN_NOISE_S:
            return SILENCE_DBFS
        return min(self._noise() + self._settings.noise_margin_db, self._peak_dbfs - _NOISE_CAP_DB)
