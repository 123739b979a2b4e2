"""How loud the source is at the time of each frame, read from its own sound as far as it is asked for."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from orchestrator.media.clip import Mono
from orchestrator.segmentation.levels import SILENCE_DBFS, frame_levels_dbfs
from orchestrator.settings import VadSettings

Float64 = NDArray[np.float64]

SAMPLE_RATE_HZ = 16_000
HOP_S = 0.01
SMOOTHED_HOPS = 3
"""Levels are averaged over so many hops: one period of a deep voice is as long as a hop."""
PEAK_DECAY_DB_PER_S = 2.0
"""Of the loudest level so far: a door that slams does not make the speech after it silent for long."""


class SpeechLoudness:
    """Loudness on the clip's clock: 0 at the level where speech begins (paper: 35 dB below the peak), 1 at the peak.

    Only what `at` may still be asked for is kept.
    """

    def __init__(self, blocks: Iterator[Mono], settings: VadSettings) -> None:
        """Take mono blocks at SAMPLE_RATE_HZ from time 0 on; nothing is read before it is needed."""
        self._blocks = blocks
        self._settings = settings
        self._hop = round(HOP_S * SAMPLE_RATE_HZ)
        self._rest = np.zeros(0, np.float32)
        self._tail = np.zeros(0)
        self._loudness = np.zeros(0)
        self._first = 0
        self._peak_dbfs = SILENCE_DBFS
        self._ended = False

    def at(self, times_s: Float64) -> Float64:
        """Return the loudness at these times, in the shape of `times_s`; 0 before the beginning and after the end."""
        while not self._ended and self._until_s() <= float(times_s.max(initial=0.0)):
            self._read()
        centres_s = (self._first + np.arange(len(self._loudness)) + 0.5) * HOP_S
        if not len(centres_s):
            return np.zeros_like(times_s)
        return np.interp(times_s, centres_s, self._loudness, left=0.0, right=0.0)

    def forget_before(self, time_s: float) -> None:
        """Let go of what lies before; later questions must not ask for it."""
        gone = min(max(0, int(time_s / HOP_S) - 1 - self._first), len(self._loudness))
        self._loudness = self._loudness[gone:]
        self._first += gone

    def _until_s(self) -> float:
        return (self._first + len(self._loudness) - 1) * HOP_S

    def _read(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
            return
        sound = np.concatenate([self._rest, block])
        count = len(sound) // self._hop
        self._rest = sound[count * self._hop :]
        powers = 10.0 ** (frame_levels_dbfs(sound[: count * self._hop].reshape(count, self._hop)) / 10.0)
        padded = np.concatenate([self._tail, powers])
        self._tail = padded[-(SMOOTHED_HOPS - 1) :]
        kernel = np.full(SMOOTHED_HOPS, 1.0 / SMOOTHED_HOPS)
        smoothed = np.convolve(padded, kernel)[len(padded) - count : len(padded)] if count else powers
        self._loudness = np.concatenate([self._loudness, [self._judged(level) for level in 10 * np.log10(smoothed)]])

    def _judged(self, level_dbfs: float) -> float:
        self._peak_dbfs = max(level_dbfs, self._peak_dbfs - PEAK_DECAY_DB_PER_S * HOP_S)
        begin_dbfs = max(self._peak_dbfs + self._settings.threshold_db, self._settings.floor_dbfs)
        return float(np.clip((level_dbfs - begin_dbfs) / -self._settings.threshold_db, 0.0, 1.0))
