"""How much louder the dub must be to be as loud as the source's speech: a pure rule over sentences in their order."""

import math
from dataclasses import dataclass

MIN_GAIN_DB, MAX_GAIN_DB = -40.0, 20.0
MAX_STEP_DB = 3.0
"""Two sentences that follow each other differ in gain by no more: the first ones tell little of the speaker."""
LIMITED_DB = 6.0
"""Peaks may be so far above the ceiling before the limiter: more would be heard as distortion."""


@dataclass(frozen=True, slots=True)
class SentenceLoudness:
    """What was measured of one sentence (media/loudness.py)."""

    source_lufs: float | None
    """None: silence."""
    source_s: float
    dub_lufs: float | None
    """As the engine spoke it; None: silence."""
    dub_s: float
    dub_peak_dbtp: float


class LoudnessMatch:
    """One gain for the whole clip, that becomes better known with every sentence.

    The gain is the loudness of all source sentences so far less that of all dub sentences so far, each counted as long
    as it lasts. It is the same whoever was faster, because sentences are asked for in the order of speech.
    """

    def __init__(self, ceiling_dbtp: float) -> None:
        """`ceiling_dbtp`: of the limiter that follows."""
        self._ceiling_dbtp = ceiling_dbtp
        self._source, self._before, self._after = _Mean(), _Mean(), _Mean()
        self.gains_db: list[float] = []
        """Of the sentences so far."""

    @property
    def source_lufs(self) -> float | None:
        """Of the source's dubbed sentences so far; None: silence."""
        return self._source.lufs

    @property
    def dub_lufs_before(self) -> float | None:
        """Of the dub as the engine spoke it."""
        return self._before.lufs

    @property
    def dub_lufs_after(self) -> float | None:
        """Of the dub as it is mixed."""
        return self._after.lufs

    def next_gain_db(self, sentence: SentenceLoudness) -> float:
        """Return the gain of the next sentence."""
        self._source.add(sentence.source_lufs, sentence.source_s)
        self._before.add(sentence.dub_lufs, sentence.dub_s)
        gain_db = self._wanted_db()
        if self.gains_db:
            gain_db = min(max(gain_db, self.gains_db[-1] - MAX_STEP_DB), self.gains_db[-1] + MAX_STEP_DB)
        gain_db = min(max(gain_db, MIN_GAIN_DB), MAX_GAIN_DB)
        gain_db = min(gain_db, self._ceiling_dbtp + LIMITED_DB - sentence.dub_peak_dbtp)
        self.gains_db.append(gain_db)
        if sentence.dub_lufs is not None:
            self._after.add(sentence.dub_lufs + gain_db, sentence.dub_s)
        return gain_db

    def _wanted_db(self) -> float:
        source, dub = self._source.lufs, self._before.lufs
        if source is not None and dub is not None:
            return source - dub
        return self.gains_db[-1] if self.gains_db else 0.0


class _Mean:
    """Mean of energies, weighted by duration."""

    def __init__(self) -> None:
        self._energy = self._total_s = 0.0

    def add(self, lufs: float | None, duration_s: float) -> None:
        if lufs is not None:
            self._energy += 10.0 ** (lufs / 10.0) * duration_s
            self._total_s += duration_s

    @property
    def lufs(self) -> float | None:
        return 10.0 * math.log10(self._energy / self._total_s) if self._energy > 0 else None
