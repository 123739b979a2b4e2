"""Every face in the picture: detections become tracks with numbers, each within one shot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.media.clip import FaceBox
from orchestrator.settings import VisualSettings
from orchestrator.visual.seen import SeenFace
from orchestrator.visual.track import KalmanTrack

FUTURE_DETECTIONS = 2
"""A frame is settled when its faces were detected so often after it; more would change their boxes by little."""


@dataclass(slots=True, eq=False)
class _Track:
    """One face through one shot."""

    kalman: KalmanTrack
    first_x: float
    """Left edge at first sight, which orders the faces that come into sight together."""
    number: int = 0
    """0 while it was seen only once: that may be an error of the detector."""
    ended: bool = False
    """Its shot is over."""


class FaceTracker:
    """Follows all faces. A track ends when its face is not seen for `track_lost_after_s`, and with its shot.

    `observe` takes the detections of one frame after the other; `faces_at` answers for earlier times, in rising order
    and before `settled_until_s`, from where on later detections may still change the answer.

    Tracks are numbered 1, 2, … when they are seen for the second time, in the order in which they came into sight, from
    left to right within one frame. A face that is seen once only gets a number when it is the only one there. The same
    detections always give the same numbers.
    """

    def __init__(self, settings: VisualSettings) -> None:
        """Start without a face."""
        self._settings = settings
        self._tracks: list[_Track] = []
        self._now_s = -math.inf
        self._numbered = 0

    def observe(self, faces: Sequence[FaceBox], time_s: float) -> None:
        """Take in what the detector found at `time_s`, nothing included."""
        self._now_s = time_s
        unmatched = list(faces)
        # The best known track chooses first: a neighbour must not take its detection away.
        for track in sorted(self._live(), key=lambda track: (-track.kalman.detections, track.number)):
            if (face := _best_match(track.kalman, unmatched, time_s)) is not None:
                track.kalman.update(face, time_s)
                unmatched.remove(face)
        self._number_all([track for track in self._live() if track.kalman.detections > 1])
        self._tracks += [_Track(KalmanTrack(face, time_s, self._settings), face.x1) for face in unmatched]

    def cut(self) -> None:
        """End all tracks: what is observed from now on belongs to another shot."""
        for track in self._tracks:
            track.ended = True

    def settled_until_s(self) -> float:
        """Return the time before which `faces_at` is final: later detections would not change it (by much).

        A face that the detector just missed holds it back until it is seen again or lost. One that was seen once holds
        nothing back unless it is alone.
        """
        live = self._live()
        waiting = [track for track in live if track.number] or live
        return min([self._now_s, *(track.kalman.seen_s(FUTURE_DETECTIONS) for track in waiting)])

    def faces_at(self, time_s: float) -> tuple[SeenFace, ...]:
        """Return all faces by number, extrapolated after the last detection of a live one.

        Of faces that were seen only once, and may be errors, the largest is returned when there is no other.
        """
        there = [track for track in self._tracks if self._covers(track, time_s)]
        sure = [track for track in there if track.number]
        if there and not sure:
            sure = [max(there, key=lambda track: track.kalman.at(time_s).width)]
            self._number_all(sure)
        faces = [SeenFace(track.number, track.kalman.at(time_s)) for track in sure]
        return tuple(sorted(faces, key=lambda face: face.track))

    def forget_before(self, time_s: float) -> None:
        """Let go of what no frame from `time_s` on needs."""
        self._tracks = [
            track for track in self._tracks if self._covers(track, time_s) or track.kalman.first_seen_s > time_s
        ]
        for track in self._tracks:
            track.kalman.forget_before(time_s)

    def _number_all(self, tracks: list[_Track]) -> None:
        new = [track for track in tracks if not track.number]
        for track in sorted(new, key=lambda track: (track.kalman.first_seen_s, track.first_x)):
            self._numbered += 1
            track.number = self._numbered

    def _live(self) -> list[_Track]:
        return [track for track in self._tracks if self._is_live(track)]

    def _covers(self, track: _Track, time_s: float) -> bool:
        last_s = track.kalman.last_seen_s
        if self._is_live(track):
            last_s += self._settings.track_lost_after_s
        return track.kalman.first_seen_s <= time_s <= last_s

    def _is_live(self, track: _Track) -> bool:
        return not track.ended and self._now_s - track.kalman.last_seen_s <= self._settings.track_lost_after_s


def _best_match(track: KalmanTrack, faces: Sequence[FaceBox], time_s: float) -> FaceBox | None:
    fits = [(surprise, n) for n, face in enumerate(faces) if (surprise := track.surprise(face, time_s)) is not None]
    return faces[min(fits)[1]] if fits else None
