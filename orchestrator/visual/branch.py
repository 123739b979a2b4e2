"""The visual branch up to the ring: frames in, the same frames with their face out, on a thread of its own."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import av

from client.contracts import FacesEngine
from orchestrator.clock import now_ms
from orchestrator.errors import SessionCancelled
from orchestrator.media.clip import ClipInfo, TrackedFrame
from orchestrator.settings import Settings
from orchestrator.visual.detection import FaceFinder
from orchestrator.visual.lookahead import LookAhead
from orchestrator.visual.retry import EngineRetry
from orchestrator.visual.ring import FrameRing

LOOK_AHEAD_SHARE = 0.25
"""Part of the ring's bytes given to the frames that wait for later detections; the ring has the rest."""


@dataclass(frozen=True, slots=True)
class VisualStats:
    """What the branch did so far."""

    frames: int
    frames_with_face: int
    detected_frames: int
    """Frames that the detector was asked about."""
    tracks: int
    """Faces followed one after the other; 1 for a clip that shows one person throughout."""
    decode_s: float
    """Reading frames from the source."""
    detector_s: float
    """Waiting for the detector."""
    held_back_s: float
    """Waiting for room in the ring."""
    ring_frames_max: int
    ring_bytes_max: int
    started_at_ms: int
    """Unix time of the thread's start; 0 before."""
    finished_at_ms: int
    """Unix time of its end; 0 before."""


class VisualBranch:
    """Pulls decoded frames, detects, tracks, and fills the ring; the consumer's pace is the branch's pace.

    Memory is bounded whatever the clip's length: the ring by `sync.ring_frames` and `sync.ring_bytes`, the frames
    that wait for later detections by a share of those bytes.
    """

    def __init__(
        self,
        frames: Iterator[tuple[int, float, av.VideoFrame]],
        clip: ClipInfo,
        faces: FacesEngine,
        settings: Settings,
        *,
        traceparent: str = "",
    ) -> None:
        """Take (index, time_s, upright 8-bit 4:2:0 frame) in presentation order; closed at the end if a generator."""
        self._source = frames
        self._cancelled = threading.Event()
        look_ahead_bytes = int(settings.sync.ring_bytes * LOOK_AHEAD_SHARE)
        self._ring = FrameRing(settings.sync.ring_frames, settings.sync.ring_bytes - look_ahead_bytes)
        self._finder = FaceFinder(faces, clip, settings.visual, EngineRetry(settings.visual, self._cancelled))
        self._look_ahead = LookAhead(self._finder, settings.visual, look_ahead_bytes, traceparent)
        self._thread = threading.Thread(target=self._run, name="visual-branch", daemon=True)
        self._started_at_ms = 0
        self._finished_at_ms = 0
        self._decode_s = 0.0
        self._frames = 0
        self._frames_with_face = 0

    def start(self) -> None:
        """Begin to decode."""
        self._started_at_ms = now_ms()
        self._thread.start()

    def frames(self) -> Iterator[TrackedFrame]:
        """Yield every frame in order. Raises what went wrong in the branch, SessionCancelled after `cancel`."""
        return iter(self._ring)

    def cancel(self) -> None:
        """Stop soon, and unblock whoever waits, with SessionCancelled."""
        self.fail(SessionCancelled("the visual branch was cancelled"))

    def fail(self, error: BaseException) -> None:
        """Stop soon, and raise `error` where frames are read. An error that came before stays."""
        self._cancelled.set()
        self._ring.fail(error)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the thread; True when it has ended (or never started)."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()
        self.join()

    @property
    def stats(self) -> VisualStats:
        """The figures so far; exact once the frames are read to their end."""
        ring = self._ring.stats
        return VisualStats(
            frames=self._frames,
            frames_with_face=self._frames_with_face,
            detected_frames=self._look_ahead.detected_frames,
            tracks=self._look_ahead.tracks,
            decode_s=self._decode_s,
            detector_s=self._finder.engine_s,
            held_back_s=ring.put_wait_s,
            ring_frames_max=ring.high_water_frames,
            ring_bytes_max=ring.high_water_bytes,
            started_at_ms=self._started_at_ms,
            finished_at_ms=self._finished_at_ms,
        )

    def _run(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                if (close := getattr(self._source, "close", None)) is not None:
                    stack.callback(close)
                self._follow()
        except BaseException as error:  # the consumer raises it: nothing may die silently in this thread
            self._finished_at_ms = now_ms()
            self._ring.fail(error)
        else:
            self._finished_at_ms = now_ms()
            self._ring.close()

    def _follow(self) -> None:
        for index, time_s, frame in self._decoded():
            if self._cancelled.is_set():
                raise SessionCancelled("the visual branch was cancelled")
            self._look_ahead.push(index, time_s, frame)
            self._hand_on(self._look_ahead.settled())
        self._look_ahead.finish()
        self._hand_on(self._look_ahead.settled())

    def _decoded(self) -> Iterator[tuple[int, float, av.VideoFrame]]:
        begin = time.monotonic()
        for decoded in self._source:
            self._decode_s += time.monotonic() - begin
            yield decoded
            begin = time.monotonic()

    def _hand_on(self, settled: Iterator[TrackedFrame]) -> None:
        for tracked in settled:
            self._ring.put(tracked)
            self._frames += 1
            self._frames_with_face += tracked.face is not None
