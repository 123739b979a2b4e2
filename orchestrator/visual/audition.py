"""While several faces are in sight, mouths are watched, the sound is heard, and frames wait to learn who speaks."""

import math
from collections import deque
from collections.abc import Iterator

import numpy as np

from orchestrator.visual.casting import Cast, ChosenBy, LargestCasting
from orchestrator.visual.loudness import SpeechLoudness
from orchestrator.visual.mouth_watch import MouthWatch
from orchestrator.visual.seen import SeenFrame
from orchestrator.visual.speaker import LAGS_S, Window, speakers

PAST_S = 3.0
"""Decided frames that later decisions look back on."""
STEP_S = 0.2
"""So much is decided at a time."""


class _Watched:
    """A frame whose mouths were seen; the picture is let go of when it is decided."""

    def __init__(self, seen: SeenFrame, motions: dict[int, float]) -> None:
        self.time_s = seen.time_s
        self.tracks = frozenset(face.track for face in seen.faces)
        self.motions = motions
        self.speaker = 0
        """Track; 0 for nobody."""


class SpeakerCasting:
    """The face whose mouth moves with the source's sound; one face alone is neither watched nor held back.

    Frames wait up to `look_ahead_s` and STEP_S for what comes after them, up to `max_bytes` of them, and never longer
    than their shot: the next one begins anew. Each stretch of STEP_S is decided from PAST_S before it to the newest
    frame.
    """

    def __init__(self, loudness: SpeechLoudness, look_ahead_s: float, max_bytes: int) -> None:
        """Start with nobody in sight."""
        self._loudness = loudness
        self._look_ahead_s = look_ahead_s
        self._max_bytes = max_bytes
        self._largest = LargestCasting()
        self._held: deque[tuple[SeenFrame, _Watched]] = deque()
        self._held_bytes = 0
        self._past: deque[_Watched] = deque()
        self._mouths = MouthWatch()
        self._shot = 0

    def push(self, seen: SeenFrame) -> Iterator[Cast]:
        """Take the next frame; yield what is decided. Reads the sound when several faces are in sight."""
        if seen.shot != self._shot:
            yield from self.finish()
            self._shot = seen.shot
            self._past.clear()
            self._mouths.forget()
        if not self._held and len(seen.faces) <= 1:
            self._mouths.forget()
            yield self._largest.decide(seen)
            return
        self._held.append((seen, _Watched(seen, self._mouths.watch(seen))))
        self._held_bytes += seen.nbytes
        if all(len(held.faces) <= 1 for held, _ in self._held):
            yield from self.finish()
        while self._held and (
            seen.time_s - self._held[0][0].time_s >= self._look_ahead_s + STEP_S or self._held_bytes > self._max_bytes
        ):
            yield from self._decide(STEP_S)

    def finish(self) -> Iterator[Cast]:
        """Decide the rest with what is known."""
        yield from self._decide(math.inf)

    def _decide(self, stretch_s: float) -> Iterator[Cast]:
        """Let go of the frames of the oldest `stretch_s`."""
        if not self._held:
            return
        decided = self._speakers()
        until_s = self._held[0][0].time_s + stretch_s
        while self._held and self._held[0][0].time_s < until_s:
            seen, watched = self._held.popleft()
            self._held_bytes -= seen.nbytes
            watched.speaker = decided.popleft()
            self._past.append(watched)
            yield self._cast(seen, watched.speaker)

    def _cast(self, seen: SeenFrame, speaker: int) -> Cast:
        if len(seen.faces) > 1 and speaker:
            self._largest.follow(speaker)
            return Cast(seen, speaker, ChosenBy.SPEAKER)
        return self._largest.decide(seen)

    def _speakers(self) -> deque[int]:
        """Return the track that speaks in each held frame, 0 for nobody."""
        while self._past and self._past[0].time_s < self._held[0][0].time_s - PAST_S:
            self._past.popleft()
        frames = [*self._past, *(watched for _, watched in self._held)]
        tracks = sorted(frozenset().union(*(frame.tracks for frame in frames)))
        times_s = np.array([frame.time_s for frame in frames])
        self._loudness.forget_before(float(times_s[0]) + float(LAGS_S[0]))
        window = Window(
            times_s=times_s,
            motions=np.array([[frame.motions.get(track, np.nan) for frame in frames] for track in tracks]),
            present=np.array([[track in frame.tracks for frame in frames] for track in tracks]),
            loudness=self._loudness.at(times_s + LAGS_S[:, None]),
        )
        before = None
        if self._past:
            first = self._past[0].speaker
            before = tracks.index(first) if first else -1
        chosen = speakers(window, before)[len(self._past) :]
        return deque(tracks[face] if face >= 0 else 0 for face in chosen)
