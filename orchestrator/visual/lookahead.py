"""Frames that wait for later detections, so that the boxes between two detections are interpolated, not guessed."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import av

from client.contracts import UInt8Array
from orchestrator.settings import VisualSettings
from orchestrator.visual.detection import FaceFinder
from orchestrator.visual.seen import SeenFrame
from orchestrator.visual.shots import ShotDetector, glance
from orchestrator.visual.tracker import FaceTracker

Frames = Iterator[tuple[int, float, av.VideoFrame]]
"""(index, time_s, upright 8-bit 4:2:0 frame) in presentation order."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A frame whose small picture waits for the next call of the detector."""

    time_s: float
    shot: int
    frame: av.VideoFrame
    picture: UInt8Array


class LookAhead:
    """Every k-th frame of a shot, its first and its last one go to the detector, a batch at a time.

    Where frames are few, more of them go: a detection that misses a face must not lose it, so no two are further apart
    than half of `track_lost_after_s`, as far as there are frames between them.

    Frames leave once their faces are settled. At most about k x (batch + 2) frames wait, those of `track_lost_after_s`
    while a face is missed, and those of `shots.FLASH_S` while a cut is in doubt. When they come to more than
    `max_bytes`, the newest frame is detected at once and all leave with what is known.
    """

    def __init__(self, finder: FaceFinder, settings: VisualSettings, max_bytes: int, traceparent: str = "") -> None:
        """Start empty."""
        self._finder = finder
        self._settings = settings
        self._max_bytes = max_bytes
        self._traceparent = traceparent
        self._tracker = FaceTracker(settings)
        self._shots = ShotDetector()
        self._undecided: deque[SeenFrame] = deque()
        """Frames that may yet begin a new shot; the waiting ones do not."""
        self._waiting: deque[SeenFrame] = deque()
        self._waiting_bytes = 0
        self._due: list[_Due] = []
        self._newest_due: av.VideoFrame | None = None
        self._shot = 1
        self._observed_shot = 1
        self._frames_since_due = 0
        self._due_s = -math.inf
        self._taken_s = -math.inf
        """Of the last frame that was let in; `_due_s` of the last one that goes to the detector."""
        self._settled_until_s = -math.inf
        self.detected_frames = 0

    def push(self, index: int, time_s: float, frame: av.VideoFrame) -> None:
        """Take the next frame; may call the detector. Raises its error when its tries are used up."""
        seen = SeenFrame(index, time_s, frame, 0, ())
        self._undecided.append(seen)
        self._waiting_bytes += seen.nbytes
        self._take(self._shots.push(glance(frame, time_s)))
        if self._waiting_bytes > self._max_bytes:
            self.finish()

    def finish(self) -> None:
        """Settle every waiting frame, the newest by a detection of its own."""
        self._take(self._shots.flush())
        self._make_newest_due()
        if self._due:
            self._detect()
        self._settled_until_s = math.inf

    def settled(self) -> Iterator[SeenFrame]:
        """Yield the frames that need not wait any longer, with their faces, and forget them."""
        while self._waiting and self._waiting[0].time_s < self._settled_until_s:
            seen = self._waiting.popleft()
            self._waiting_bytes -= seen.nbytes
            faces = self._tracker.faces_at(seen.time_s)
            self._tracker.forget_before(seen.time_s)
            yield replace(seen, faces=faces)
        if not self._waiting:
            self._settled_until_s = -math.inf

    def _take(self, cuts: list[bool]) -> None:
        """Let the oldest undecided frames in, one for each of `cuts`: does it begin a new shot?"""
        for is_cut in cuts:
            if is_cut:
                self._make_newest_due()
                self._shot += 1
                self._due_s = -math.inf
            seen = replace(self._undecided.popleft(), shot=self._shot)
            self._waiting.append(seen)
            if self._is_due(seen.time_s):
                self._make_due(seen)
                self._frames_since_due, self._due_s = 0, seen.time_s
            self._frames_since_due += 1
            self._taken_s = seen.time_s

    def _is_due(self, time_s: float) -> bool:
        if self._frames_since_due >= self._settings.detect_every_frames:
            return True
        next_s = time_s + (time_s - self._taken_s)  # if frames go on at this pace
        return next_s - self._due_s > self._settings.track_lost_after_s / 2

    def _make_newest_due(self) -> None:
        if self._waiting and self._waiting[-1].frame is not self._newest_due:
            self._make_due(self._waiting[-1])

    def _make_due(self, seen: SeenFrame) -> None:
        self._newest_due = seen.frame
        self._due.append(_Due(seen.time_s, seen.shot, seen.frame, self._finder.picture(seen.frame)))
        if len(self._due) >= self._settings.detector_batch:
            self._detect()

    def _detect(self) -> None:
        due, self._due = self._due, []
        found = self._finder.find([one.picture for one in due], [one.frame for one in due], self._traceparent)
        for one, faces in zip(due, found, strict=True):
            if one.shot != self._observed_shot:
                self._tracker.cut()
                self._observed_shot = one.shot
            self._tracker.observe(faces, one.time_s)
        self.detected_frames += len(due)
        self._settled_until_s = self._tracker.settled_until_s()


def seen_frames(frames: Frames, look_ahead: LookAhead) -> Iterator[SeenFrame]:
    """Pass all frames through."""
    for index, time_s, frame in frames:
        look_ahead.push(index, time_s, frame)
        yield from look_ahead.settled()
    look_ahead.finish()
    yield from look_ahead.settled()
