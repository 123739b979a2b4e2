"""Looks at the mouths of all faces in sight, frame by frame, and tells how much each one moves."""

import math

from orchestrator.visual.mouth_motion import FaceParts, cut_parts, mouth_motion
from orchestrator.visual.seen import SeenFrame

MIN_INTERVAL_S = 0.03
"""Mouths are looked at no more often: at 60 frames/s they hardly move from one frame to the next."""


class MouthWatch:
    """Remembers what each mouth looked like last."""

    def __init__(self) -> None:
        """Start with nobody in sight."""
        self._last_parts: dict[int, tuple[float, FaceParts]] = {}
        self._last_motions: dict[int, float] = {}

    def watch(self, seen: SeenFrame) -> dict[int, float]:
        """Return the motion of each mouth since it was looked at before, by track."""
        for face in seen.faces:
            before_s, before = self._last_parts.get(face.track, (-math.inf, None))
            if seen.time_s - before_s < MIN_INTERVAL_S:
                continue
            parts = cut_parts(seen.frame, face.box)
            self._last_parts[face.track] = (seen.time_s, parts)
            if before is not None:
                self._last_motions[face.track] = mouth_motion(before, parts)
        present = {face.track for face in seen.faces}
        self._last_parts = {track: parts for track, parts in self._last_parts.items() if track in present}
        self._last_motions = {track: motion for track, motion in self._last_motions.items() if track in present}
        return dict(self._last_motions)

    def forget(self) -> None:
        """Begin anew, as behind a cut."""
        self._last_parts.clear()
        self._last_motions.clear()
