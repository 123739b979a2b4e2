"""Frames that wait for later detections, so that the boxes between two detections are interpolated, not guessed."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import av

from client.contracts import UInt8Array
from orchestrator.media.clip import TrackedFrame
from orchestrator.settings import VisualSettings
from orchestrator.visual.detection import FaceFinder
from orchestrator.visual.tracker import FaceTracker


@dataclass(frozen=True, slots=True)
class _Due:
    """A frame whose small picture waits for the next call of the detector."""

    time_s: float
    frame: av.VideoFrame
    picture: UInt8Array


class LookAhead:
    """Every k-th frame and the last one go to the detector, a batch at a time; frames leave once their face is settled.

    At most about k x (batch + 2) frames wait, and those of `track_lost_after_s` while a face is missed. When they
    come to more than `max_bytes`, the newest frame is detected at once and all leave with what is known.
    """

    def __init__(self, finder: FaceFinder, settings: VisualSettings, max_bytes: int, traceparent: str = "") -> None:
        """Start empty."""
        self._finder = finder
        self._settings = settings
        self._max_bytes = max_bytes
        self._traceparent = traceparent
        self._tracker = FaceTracker(settings)
        self._waiting: deque[TrackedFrame] = deque()
        self._waiting_bytes = 0
        self._due: list[_Due] = []
        self._newest_due: av.VideoFrame | None = None
        self._pushed = 0
        self._settled_until_s = -math.inf
        self.detected_frames = 0

    @property
    def tracks(self) -> int:
        """Faces followed one after the other."""
        return self._tracker.followed_count

    def push(self, index: int, time_s: float, frame: av.VideoFrame) -> None:
        """Take the next frame; may call the detector. Raises its error when its tries are used up."""
        tracked = TrackedFrame(index, time_s, frame, None)
        self._waiting.append(tracked)
        self._waiting_bytes += tracked.nbytes
        if self._pushed % self._settings.detect_every_frames == 0:
            self._make_due(tracked)
        self._pushed += 1
        if self._waiting_bytes > self._max_bytes:
            self.finish()
        elif len(self._due) >= self._settings.detector_batch:
            self._detect()

    def finish(self) -> None:
        """Settle every waiting frame, the newest by a detection of its own."""
        if self._waiting and self._waiting[-1].frame is not self._newest_due:
            self._make_due(self._waiting[-1])
        if self._due:
            self._detect()
        self._settled_until_s = math.inf

    def settled(self) -> Iterator[TrackedFrame]:
        """Yield the frames that need not wait any longer, with their faces, and forget them."""
        while self._waiting and self._waiting[0].time_s < self._settled_until_s:
            tracked = self._waiting.popleft()
            self._waiting_bytes -= tracked.nbytes
            face = self._tracker.face_at(tracked.time_s)
            self._tracker.forget_before(tracked.time_s)
            yield TrackedFrame(tracked.index, tracked.time_s, tracked.frame, face)
        if not self._waiting:
            self._settled_until_s = -math.inf

    def _make_due(self, tracked: TrackedFrame) -> None:
        self._newest_due = tracked.frame
        self._due.append(_Due(tracked.time_s, tracked.frame, self._finder.picture(tracked.frame)))

    def _detect(self) -> None:
        due, self._due = self._due, []
        found = self._finder.find([one.picture for one in due], [one.frame for one in due], self._traceparent)
        for one, faces in zip(due, found, strict=True):
            self._tracker.observe(faces, one.time_s)
        self.detected_frames += len(due)
        self._settled_until_s = self._tracker.settled_until_s()
