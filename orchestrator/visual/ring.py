"""The ring of decoded frames between the visual branch's thread and the session: bounded, first in first out."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.errors import SessionCancelled
from orchestrator.media.clip import TrackedFrame


@dataclass(frozen=True, slots=True)
class RingStats:
    """How full the ring was and who waited for whom."""

    high_water_frames: int
    high_water_bytes: int
    put_wait_s: float
    """The writer waited so long for room: back-pressure."""
    get_wait_s: float
    """The reader waited so long for a frame."""


class FrameRing:
    """A bounded queue between one writer and one reader. A full ring makes the writer wait; it never drops a frame."""

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        """Whichever bound is met first counts; a single frame is always admitted, however large."""
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[TrackedFrame] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None
        self._high_water_frames = 0
        self._high_water_bytes = 0
        self._put_wait_s = 0.0
        self._get_wait_s = 0.0

    def put(self, frame: TrackedFrame) -> None:
        """Append a frame as soon as there is room. Raises SessionCancelled, and the ring's error after `fail`."""
        nbytes = frame.nbytes
        with self._changed:
            begin = time.monotonic()
            self._changed.wait_for(lambda: self._error is not None or self._has_room_for(nbytes))
            self._put_wait_s += time.monotonic() - begin
            if self._error is not None:
                raise self._error
            if self._closed:
                raise ValueError("put on a closed ring")
            self._frames.append(frame)
            self._bytes += nbytes
            self._high_water_frames = max(self._high_water_frames, len(self._frames))
            self._high_water_bytes = max(self._high_water_bytes, self._bytes)
            self._changed.notify_all()

    def get(self) -> TrackedFrame | None:
        """Return the oldest frame as soon as there is one; None at the end. Raises the error given to `fail`."""
        with self._changed:
            begin = time.monotonic()
            self._changed.wait_for(lambda: self._error is not None or self._closed or bool(self._frames))
            self._get_wait_s += time.monotonic() - begin
            if self._error is not None:
                raise self._error
            if not self._frames:
                return None
            frame = self._frames.popleft()
            self._bytes -= frame.nbytes
            self._changed.notify_all()
            return frame

    def __iter__(self) -> Iterator[TrackedFrame]:
        """Yield frames until the ring is closed and empty."""
        while (frame := self.get()) is not None:
            yield frame

    def close(self) -> None:
        """End the stream: what is in the ring can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Raise `error` on both sides from now on; waiting frames are let go. The first error stays."""
        with self._changed:
            if self._error is None:
                self._error = error
            self._frames.clear()
            self._bytes = 0
            self._changed.notify_all()

    def cancel(self) -> None:
        """Unblock both sides with SessionCancelled."""
        self.fail(SessionCancelled("the visual branch was cancelled"))

    @property
    def stats(self) -> RingStats:
        """The figures so far."""
        with self._changed:
            return RingStats(self._high_water_frames, self._high_water_bytes, self._put_wait_s, self._get_wait_s)

    def _has_room_for(self, nbytes: int) -> bool:
        if not self._frames:
            return True
        return len(self._frames) < self._max_frames and self._bytes + nbytes <= self._max_bytes
