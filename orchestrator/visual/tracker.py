"""Which face speaks: detections become tracks, and one track at a time is followed."""

import math
from collections.abc import Sequence

from orchestrator.media.clip import FaceBox
from orchestrator.settings import VisualSettings
from orchestrator.visual.track import KalmanTrack

FUTURE_DETECTIONS = 2
"""A frame is settled when its face was detected so often after it; more would change its box by little."""


class FaceTracker:
    """Follows the largest face, and stays with it as long as it lasts, whoever else is in the picture.

    `observe` takes the detections of one frame after the other; `face_at` answers for earlier times, in rising order
    and before `settled_until_s`, from where on later detections may still change the answer. All faces are tracked,
    so when the followed one is lost (its frames end at its last detection) the next one has its past.
    """

    def __init__(self, settings: VisualSettings) -> None:
        """Start without a face."""
        self._settings = settings
        self._tracks: list[KalmanTrack] = []
        self._followed: KalmanTrack | None = None
        self._now_s = -math.inf
        self.followed_count = 0
        """Faces that were followed, one after the other."""

    def observe(self, faces: Sequence[FaceBox], time_s: float) -> None:
        """Take in what the detector found at `time_s`, nothing included."""
        self._now_s = time_s
        unmatched = list(faces)
        live = [track for track in self._tracks if self._is_live(track)]
        # The followed track chooses first: a neighbour must not take its detection away.
        for track in sorted(live, key=lambda track: (track is not self._followed, -track.detections)):
            if (face := _best_match(track, unmatched, time_s)) is not None:
                track.update(face, time_s)
                unmatched.remove(face)
        self._tracks += [KalmanTrack(face, time_s, self._settings) for face in unmatched]

    def settled_until_s(self) -> float:
        """Return the time before which `face_at` is final: later detections would not change it (by much).

        A face that the detector just missed holds it back until it is seen again or lost.
        """
        if self._followed is not None and self._is_live(self._followed):
            return self._followed.seen_s(FUTURE_DETECTIONS)
        waiting = [track.seen_s(FUTURE_DETECTIONS) for track in self._tracks if self._is_live(track)]
        return min([self._now_s, *waiting])

    def face_at(self, time_s: float) -> FaceBox | None:
        """Return the followed face, None when there is none; extrapolated after the last detection of a live one."""
        if self._followed is None or not self._covers(self._followed, time_s):
            self._followed = self._choose(time_s)
            self.followed_count += self._followed is not None
        return None if self._followed is None else self._followed.at(time_s)

    def forget_before(self, time_s: float) -> None:
        """Let go of what no frame from `time_s` on needs."""
        self._tracks = [track for track in self._tracks if self._covers(track, time_s) or track.first_seen_s > time_s]
        for track in self._tracks:
            track.forget_before(time_s)

    def _choose(self, time_s: float) -> KalmanTrack | None:
        """Return the largest face there is; one seen only once, which may be an error, only when it is alone."""
        there = [track for track in self._tracks if self._covers(track, time_s)]
        return max(there, key=lambda track: (track.detections > 1, track.at(time_s).width), default=None)

    def _covers(self, track: KalmanTrack, time_s: float) -> bool:
        last_s = track.last_seen_s
        if self._is_live(track):
            last_s += self._settings.track_lost_after_s
        return track.first_seen_s <= time_s <= last_s

    def _is_live(self, track: KalmanTrack) -> bool:
        return self._now_s - track.last_seen_s <= self._settings.track_lost_after_s


def _best_match(track: KalmanTrack, faces: Sequence[FaceBox], time_s: float) -> FaceBox | None:
    fits = [(surprise, n) for n, face in enumerate(faces) if (surprise := track.surprise(face, time_s)) is not None]
    return faces[min(fits)[1]] if fits else None
