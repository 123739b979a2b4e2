"""From frame levels to runs of speech: the paper's Table I as a state machine over frame numbers. No audio here."""

import math
from collections import deque
from dataclasses import dataclass, field

from orchestrator.segmentation.levels import SpeechThreshold, sustained_frames
from orchestrator.settings import VadSettings

_ONSET_WINDOW_MS = 100
"""Speech begins when `sustained_frames` of the frames in this window are above the threshold."""

_SPLIT_SEARCH_S = 2.0
"""A forced split looks for the quietest frame so far back (never beyond half the longest segment)."""

_REJUDGE_DB = 1.0
"""An open run is judged anew when the threshold has risen by more than this since it was last judged."""


@dataclass(frozen=True, slots=True)
class Run:
    """Frames [start, end) hold speech; padding may be taken from [left, right) only."""

    start: int
    end: int
    left: int
    right: int
    forced: bool
    """It was ended by the longest allowed length, not by a pause."""


@dataclass(slots=True)
class _Open:
    """Speech that has begun and not ended."""

    start: int
    last_voiced: int
    continues: bool
    """It is the second half of a forced split: its first frame above the threshold is speech at once."""
    levels: list[float] = field(default_factory=list)
    """Of every frame from `start` on."""
    voiced: list[bool] = field(default_factory=list)
    """The same frames: does it count as speech?"""


class SpeechRuns:
    """Push one frame level after the other; get the runs that ended.

    A rising threshold (the first loud word after a noisy beginning) judges the open run anew, so noise that passed for
    speech while nothing louder was known does not become the start of a sentence.
    """

    def __init__(self, settings: VadSettings) -> None:
        frame_s = settings.frame_ms / 1000
        self._threshold = SpeechThreshold(settings)
        self._min_silence = math.ceil(round(settings.min_silence_s / frame_s, 6))
        self._min_length = math.ceil(round(settings.min_segment_s / frame_s, 6))
        self._max_length = math.floor(round(settings.max_segment_s / frame_s, 6))
        self._search = max(1, min(round(_SPLIT_SEARCH_S / frame_s), self._max_length // 2))
        self._onset = sustained_frames(settings.frame_ms)
        self.onset_window = max(self._onset + 1, round(_ONSET_WINDOW_MS / settings.frame_ms))
        """Frames: a run never starts farther back than this from the frame that opens it."""
        self._window: deque[tuple[int, float, bool]] = deque(maxlen=self.onset_window)
        self._open: _Open | None = None
        self._judged_dbfs = 0.0
        self._left = 0
        self._continues = False
        self._ended: list[Run] = []
        self._count = 0

    @property
    def open_start(self) -> int | None:
        """First frame of the speech that is going on."""
        return self._open.start if self._open else None

    @property
    def settled(self) -> int:
        """Every run that starts before this frame has been returned."""
        if self._open:
            return self._open.start
        oldest = self._count + 1 - self.onset_window
        return next(
            (index for index, _, loud in self._window if loud and index >= max(oldest, self._left)), self._count
        )

    def push(self, level_dbfs: float) -> list[Run]:
        """Take the level of the next frame; return the runs that it ends (nearly always none)."""
        threshold = self._threshold.update(level_dbfs)
        index = self._count
        self._count += 1
        if self._open and threshold > self._judged_dbfs + _REJUDGE_DB:
            self._judge_anew([*self._open.levels, level_dbfs], threshold)
        else:
            self._judge(index, level_dbfs, threshold)
        return self._take_ended()

    def flush(self) -> list[Run]:
        """End what is open; the stream is over."""
        if self._open:
            self._end(self._open, self._open.last_voiced + 1, self._count)
        self._window.clear()
        return self._take_ended()

    def _take_ended(self) -> list[Run]:
        ended, self._ended = self._ended, []
        return ended

    def _judge_anew(self, levels: list[float], threshold: float) -> None:
        assert self._open is not None
        first, self._continues = self._open.start, self._open.continues
        self._open = None
        self._window.clear()
        for index, level in enumerate(levels, start=first):
            self._judge(index, level, threshold)
        self._continues = False

    def _judge(self, index: int, level: float, threshold: float) -> None:
        self._window.append((index, level, level > threshold))
        if self._open is None:
            self._open_if_speech(index, threshold)
            return
        run = self._open
        run.levels.append(level)
        run.voiced.append(False)
        self._mark_voiced(run, index)
        if index - run.last_voiced >= self._min_silence and index + 1 - run.start >= self._min_length:
            self._end(run, run.last_voiced + 1, index + 1)
        elif index + 1 - run.start >= self._max_length:
            self._split(run)

    def _open_if_speech(self, index: int, threshold: float) -> None:
        loud = [at for at, _, is_loud in self._window if is_loud and at >= self._left]
        if len(loud) < self._onset and not (self._continues and loud):
            return
        frames = [(level, is_loud) for at, level, is_loud in self._window if at >= loud[0]]
        self._open = _Open(
            start=loud[0],
            last_voiced=loud[-1],
            continues=self._continues,
            levels=[level for level, _ in frames],
            voiced=[is_loud for _, is_loud in frames],
        )
        self._judged_dbfs = threshold
        self._continues = False

    def _mark_voiced(self, run: _Open, index: int) -> None:
        """A loud frame counts at once near other speech; after a pause it needs company, as an onset does."""
        if not self._window[-1][2]:
            return
        loud = [at for at, _, is_loud in self._window if is_loud and at >= run.start]
        if index - run.last_voiced <= self.onset_window or len(loud) >= self._onset:
            for at in loud:
                run.voiced[at - run.start] = True
            run.last_voiced = index

    def _split(self, run: _Open) -> None:
        """Cut at the quietest recent frame (three frames averaged: the middle of a pause, not one closed lip)."""
        first = len(run.levels) - self._search
        cut = max(range(first, len(run.levels)), key=lambda i: (-_smoothed(run.levels, i), i))
        heard = [i for i, voiced in enumerate(run.voiced[:cut]) if voiced]
        rest = [i for i, voiced in enumerate(run.voiced[cut:], start=cut) if voiced]
        self._end(run, run.start + heard[-1] + 1, run.start + cut, forced=True)
        self._left = run.start + cut
        if rest:
            self._open = _Open(
                start=run.start + rest[0],
                last_voiced=run.start + rest[-1],
                continues=True,
                levels=run.levels[rest[0] :],
                voiced=run.voiced[rest[0] :],
            )

    def _end(self, run: _Open, end: int, right: int, *, forced: bool = False) -> None:
        self._ended.append(Run(run.start, end, self._left, right, forced))
        self._left = end
        self._open = None


def _smoothed(levels: list[float], index: int) -> float:
    around = levels[max(index - 1, 0) : index + 2]
    return sum(around) / len(around)
