"""A first look at a clip's beginning: faces, mouths and sound, to learn how late the sound is against the picture.

Everything else needs to know where the sound belongs, so this comes first; it stops as soon as it has seen enough.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from client.contracts import FacesEngine
from orchestrator.errors import SessionCancelled
from orchestrator.media.clip import ClipInfo, Mono
from orchestrator.settings import Settings
from orchestrator.visual.av_offset import REACH_S, STEP_S, Float64, Material, Offset, find_offset
from orchestrator.visual.detection import FaceFinder
from orchestrator.visual.lookahead import Frames, LookAhead, seen_frames
from orchestrator.visual.loudness import SpeechLoudness
from orchestrator.visual.mouth_watch import MouthWatch
from orchestrator.visual.retry import EngineRetry

LOOK_AHEAD_SHARE = 0.25
"""Part of the ring's bytes for the frames that wait for detections, as in the visual branch."""
SEARCHED = 3.0
"""Faces are waited for so many times as long as they are watched."""
LONGEST_STEP_S = 0.2


class OffsetVerdict(StrEnum):
    """What became of the measurement."""

    OFF = "off"
    """Not asked for."""
    UNKNOWN = "unknown"
    """No face, too little speech, or no clear answer: nothing is corrected."""
    IN_SYNC = "in-sync"
    """Known, and not above `sync.resync_ms`: nothing is corrected."""
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class SourceSync:
    """What is known of a clip's own sync, and what is done about it."""

    verdict: OffsetVerdict
    found: Offset | None = None
    """None: there was not enough to look at."""
    corrected_s: float = 0.0
    """By so much the sound is moved earlier (positive) or later."""
    watched_s: float = 0.0
    """Seconds of clip with a face."""
    took_s: float = 0.0
    """Wall clock."""


@dataclass(slots=True)
class _Watched:
    times_s: list[float] = field(default_factory=list)
    motions: list[float] = field(default_factory=list)


def measure_source_sync(
    frames: Frames,
    sound: Iterator[Mono],
    clip: ClipInfo,
    faces: FacesEngine,
    settings: Settings,
    stop: threading.Event,
    on_progress: Callable[[], None],
    traceparent: str = "",
) -> SourceSync:
    """Watch up to `sync.measure_source_s` of a clip with a face in it; both iterators are left where that ends.

    `sound`: mono, loudness.SAMPLE_RATE_HZ.

    Raises:
        SessionCancelled: `stop` was set.
        EngineError: the detector failed and its tries are used up.
    """
    begin = time.monotonic()
    if settings.sync.measure_source_s == 0:
        return SourceSync(OffsetVerdict.OFF)
    finder = FaceFinder(faces, clip, settings.visual, EngineRetry(settings.visual, stop))
    look_ahead = LookAhead(finder, settings.visual, int(settings.sync.ring_bytes * LOOK_AHEAD_SHARE), traceparent)
    tracks, watched_s = _watch(_until_stopped(frames, stop, on_progress), look_ahead, settings.sync.measure_source_s)
    last_s = max((track.times_s[-1] for track in tracks), default=0.0)
    loudness = SpeechLoudness(sound, settings.vad).at(_grid(last_s + REACH_S)) if tracks else np.zeros(0)
    found = _best(find_offset(_material(track), loudness) for track in tracks)
    verdict, corrected_s = OffsetVerdict.UNKNOWN, 0.0
    if found is not None and found.believed:
        late = abs(found.offset_s) * 1000 > settings.sync.resync_ms
        verdict, corrected_s = (OffsetVerdict.CORRECTED, found.offset_s) if late else (OffsetVerdict.IN_SYNC, 0.0)
    return SourceSync(verdict, found, corrected_s, watched_s, time.monotonic() - begin)


def _watch(frames: Frames, look_ahead: LookAhead, enough_s: float) -> tuple[list[_Watched], float]:
    """Return the mouths: those of each track that was one of several, and of all faces that were alone as one."""
    tracks: dict[int, _Watched] = defaultdict(_Watched)
    mouths = MouthWatch()
    watched_s, before_s, shot = 0.0, 0.0, 0
    for seen in seen_frames(frames, look_ahead):
        if seen.shot != shot:
            mouths.forget()
            shot, before_s = seen.shot, seen.time_s
        middle_s = (before_s + seen.time_s) / 2
        for track, motion in mouths.watch(seen).items():
            mouth = tracks[track if len(seen.faces) > 1 else 0]
            mouth.times_s.append(middle_s)
            mouth.motions.append(motion)
        watched_s += min(seen.time_s - before_s, LONGEST_STEP_S) if seen.faces else 0.0
        before_s = seen.time_s
        if watched_s >= enough_s or seen.time_s >= SEARCHED * enough_s:
            break
    return [tracks[track] for track in sorted(tracks)], watched_s


def _until_stopped(frames: Frames, stop: threading.Event, on_progress: Callable[[], None]) -> Frames:
    for index, time_s, frame in frames:
        if index % 25 == 0:
            on_progress()
        if stop.is_set():
            raise SessionCancelled("stopped while looking at the source's sync")
        yield index, time_s, frame


def _grid(until_s: float) -> Float64:
    return np.arange(int(until_s / STEP_S) + 1, dtype=np.float64) * STEP_S


def _material(watched: _Watched) -> Material:
    return Material(np.array(watched.times_s), np.array(watched.motions))


def _best(found: Iterator[Offset | None]) -> Offset | None:
    """Return what is believed before what is not, then what stands out most."""
    return max((one for one in found if one is not None), key=lambda one: (one.believed, one.lead), default=None)
