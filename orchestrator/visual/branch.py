"""The visual branch up to the ring: frames in, the same frames with the face that speaks, on a thread of its own."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from client.contracts import FacesEngine
from orchestrator.clock import now_ms
from orchestrator.errors import FaceNotFound, SessionCancelled
from orchestrator.face_choice import FaceChoice
from orchestrator.logs import thread_with_ids
from orchestrator.media.clip import ClipInfo, Mono, TrackedFrame
from orchestrator.settings import Settings
from orchestrator.visual.audition import SpeakerCasting
from orchestrator.visual.casting import Cast, Casting, LargestCasting, RequestedCasting, track_at
from orchestrator.visual.chronicle import Chronicle
from orchestrator.visual.detection import FaceFinder
from orchestrator.visual.lookahead import Frames, LookAhead, seen_frames
from orchestrator.visual.loudness import SpeechLoudness
from orchestrator.visual.overruling import Overrule, OverruledCasting
from orchestrator.visual.retry import EngineRetry
from orchestrator.visual.ring import FrameRing

LOOK_AHEAD_SHARE = 0.25
"""Part of the ring's bytes given to the frames that wait for later detections."""
SPEAKER_SHARE = 0.25
"""Part of them given to the frames that wait to learn who speaks; the ring has the rest."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Casts:
    """How the face is found that is to speak."""

    choice: FaceChoice | None = None
    """The request's; None: the one that speaks."""
    sound: Callable[[], Iterator[Mono]] | None = None
    """Opens the source's sound (mono, loudness.SAMPLE_RATE_HZ), which is read only while several faces are in sight;
    None: the largest face speaks."""
    again: Callable[[], Frames] | None = None
    """Opens the same frames a second time: needed for a choice with a time, whose face is looked for first."""
    overrules: tuple[Overrule, ...] = ()
    """Stretches in which a person has said whose lips move."""


@dataclass(frozen=True, slots=True)
class VisualStats:
    """What the branch did so far."""

    frames: int
    frames_with_face: int
    detected_frames: int
    """Frames that the detector was asked about."""
    tracks: int
    """Faces that were chosen to speak at some time; 1 for a clip that shows one person throughout."""
    decode_s: float
    """Reading frames from the source."""
    held_back_s: float
    """Waiting for room in the ring."""
    ring_frames_max: int
    ring_bytes_max: int
    started_at_ms: int
    """Unix time of the thread's start; 0 before."""
    finished_at_ms: int
    """Unix time of its end; 0 before."""


class VisualBranch:
    """Pulls decoded frames, detects, tracks, chooses who speaks, and fills the ring.

    The consumer's pace is the branch's pace. Memory is bounded whatever the clip's length: the ring by
    `sync.ring_frames` and `sync.ring_bytes`; the frames that wait for later detections, and those that wait to learn
    who speaks, by shares of those bytes.
    """

    def __init__(
        self,
        frames: Frames,
        clip: ClipInfo,
        faces: FacesEngine,
        settings: Settings,
        *,
        casts: Casts | None = None,
        traceparent: str = "",
    ) -> None:
        """Take frames, closed at the end if a generator, and how to choose the face (left out: the largest)."""
        self._source = frames
        self._clip = clip
        self._casts = casts or Casts()
        self._settings = settings
        self._traceparent = traceparent
        self._cancelled = threading.Event()
        ring_share = 1.0 - LOOK_AHEAD_SHARE - SPEAKER_SHARE
        self._ring = FrameRing(settings.sync.ring_frames, int(settings.sync.ring_bytes * ring_share))
        self._finder = FaceFinder(faces, clip, settings.visual, EngineRetry(settings.visual, self._cancelled))
        self._look_ahead = self._new_look_ahead()
        self.chronicle = Chronicle()
        """All faces and choices so far; whole once the frames are read to their end."""
        self._thread = thread_with_ids(self._run, "visual-branch")
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
            tracks=self.chronicle.followed,
            decode_s=self._decode_s,
            held_back_s=ring.put_wait_s,
            ring_frames_max=ring.high_water_frames,
            ring_bytes_max=ring.high_water_bytes,
            started_at_ms=self._started_at_ms,
            finished_at_ms=self._finished_at_ms,
        )

    def _run(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                close_later(stack, self._source)
                self._follow(stack)
        except BaseException as error:  # the consumer raises it: nothing may die silently in this thread
            self._finished_at_ms = now_ms()
            self._ring.fail(error)
        else:
            self._finished_at_ms = now_ms()
            self._ring.close()

    def _follow(self, stack: contextlib.ExitStack) -> None:
        casting: Casting = self._casting(stack)
        if self._casts.overrules:
            casting = OverruledCasting(casting, self._casts.overrules)
        for seen in seen_frames(self._decoded(self._source), self._look_ahead):
            self._hand_on(casting.push(seen))
        self._hand_on(casting.finish())
        self.chronicle.end(self._clip.duration_s)
        if self._casts.choice is not None and not self.chronicle.followed:
            raise FaceNotFound(f"the face {self._casts.choice} is never in sight; {self.chronicle.faces_there()}")

    def _casting(self, stack: contextlib.ExitStack) -> Casting:
        choice, sound = self._casts.choice, self._casts.sound
        if choice is not None:
            return RequestedCasting(choice if choice.at_s is None else FaceChoice(track=self._track_at(choice)))
        look_ahead_s = self._settings.visual.speaker_look_ahead_s
        if sound is None or look_ahead_s == 0:
            return LargestCasting()
        blocks = sound()
        close_later(stack, blocks)
        loudness = SpeechLoudness(self._unless_cancelled(blocks), self._settings.vad)
        return SpeakerCasting(loudness, look_ahead_s, int(self._settings.sync.ring_bytes * SPEAKER_SHARE))

    def _track_at(self, choice: FaceChoice) -> int:
        """Look through the frames until the choice's time, for the number that its face will have in the second pass.

        The passes are alike: tracks depend on the detections alone.
        """
        if self._casts.again is None or choice.at_s is None:
            raise ValueError("a choice with a time needs the frames a second time")
        frames = self._casts.again()
        with contextlib.ExitStack() as stack:
            close_later(stack, frames)
            return track_at(seen_frames(self._decoded(frames), self._new_look_ahead()), choice)

    def _new_look_ahead(self) -> LookAhead:
        look_ahead_bytes = int(self._settings.sync.ring_bytes * LOOK_AHEAD_SHARE)
        return LookAhead(self._finder, self._settings.visual, look_ahead_bytes, self._traceparent)

    def _decoded(self, frames: Frames) -> Frames:
        begin = time.monotonic()
        for decoded in self._unless_cancelled(frames):
            self._decode_s += time.monotonic() - begin
            yield decoded
            begin = time.monotonic()

    def _unless_cancelled(self, items: Iterator[Item]) -> Iterator[Item]:
        for item in items:
            if self._cancelled.is_set():
                raise SessionCancelled("the visual branch was cancelled")
            yield item

    def _hand_on(self, decided: Iterator[Cast]) -> None:
        for cast in decided:
            self.chronicle.note(cast)
            tracked = cast.tracked
            self._ring.put(tracked)
            self._frames += 1
            self._frames_with_face += tracked.face is not None


def close_later(stack: contextlib.ExitStack, items: object) -> None:
    """Close a generator with the stack; other iterators have nothing to close."""
    if (close := getattr(items, "close", None)) is not None:
        stack.callback(close)
