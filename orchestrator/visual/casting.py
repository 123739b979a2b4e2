"""Whose lips move: one face for every frame, as the request says, or the one that speaks."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

from orchestrator.errors import FaceNotFound
from orchestrator.face_choice import FaceChoice
from orchestrator.media.clip import FaceBox, TrackedFrame
from orchestrator.visual.seen import SeenFace, SeenFrame
from orchestrator.visual.track import iou

LEAST_OVERLAP = 0.2
"""Intersection over union from which a face is the one that a box means: a box drawn by hand, a head that moves."""


class ChosenBy(StrEnum):
    """Why a face was chosen."""

    ONLY = "only"
    """There is no other."""
    SPEAKER = "speaker"
    """Its mouth moves with the sound."""
    LARGEST = "largest"
    """No mouth moves with the sound: the face that was chosen before, or else the largest."""
    REQUEST = "request"
    """The request names it."""
    CORRECTION = "correction"
    """A person has said that it speaks this sentence."""


class Cast(NamedTuple):
    """A frame that is decided."""

    seen: SeenFrame
    track: int
    """0: nobody's lips move."""
    chosen_by: ChosenBy | None

    @property
    def tracked(self) -> TrackedFrame:
        """What the renderer is given."""
        box = next((face.box for face in self.seen.faces if face.track == self.track), None)
        return TrackedFrame(self.seen.index, self.seen.time_s, self.seen.frame, box)


class Casting(Protocol):
    """Takes frames in order and gives them back in order, each with its choice, as soon as it is made."""

    def push(self, seen: SeenFrame) -> Iterator[Cast]:
        """Take the next frame; yield what is decided."""
        ...

    def finish(self) -> Iterator[Cast]:
        """Decide the rest."""
        ...


class LargestCasting:
    """The largest face, and that one as long as it lasts, whoever else is in the picture."""

    def __init__(self) -> None:
        """Nobody was chosen yet."""
        self._followed = 0

    def push(self, seen: SeenFrame) -> Iterator[Cast]:
        """Decide at once."""
        yield self.decide(seen)

    def finish(self) -> Iterator[Cast]:
        """Nothing waits."""
        return iter(())

    def follow(self, track: int) -> None:
        """Stay with this face from now on."""
        self._followed = track

    def decide(self, seen: SeenFrame) -> Cast:
        """Choose for one frame."""
        if not seen.faces:
            return Cast(seen, 0, None)
        if self._followed not in [face.track for face in seen.faces]:
            self._followed = max(seen.faces, key=lambda face: face.box.width).track
        return Cast(seen, self._followed, ChosenBy.ONLY if len(seen.faces) == 1 else ChosenBy.LARGEST)


class RequestedCasting:
    """The face that the request names; where it is not in sight nobody's lips move."""

    def __init__(self, choice: FaceChoice) -> None:
        """`choice` without a time: see `track_at`."""
        self._choice = choice

    def push(self, seen: SeenFrame) -> Iterator[Cast]:
        """Decide at once."""
        face = requested_face(seen.faces, self._choice)
        yield Cast(seen, face.track, ChosenBy.REQUEST) if face else Cast(seen, 0, None)

    def finish(self) -> Iterator[Cast]:
        """Nothing waits."""
        return iter(())


def requested_face(faces: tuple[SeenFace, ...], choice: FaceChoice) -> SeenFace | None:
    """Return the face of that number, or the one that overlaps the box most; None when none does."""
    if choice.box is None:
        return next((face for face in faces if face.track == choice.track), None)
    wanted = FaceBox(*choice.box, score=1.0)
    overlaps = [(iou(face.box, wanted), -face.track, face) for face in faces]
    best = max(overlaps, default=None)
    return best[2] if best is not None and best[0] >= LEAST_OVERLAP else None


def track_at(frames: Iterator[SeenFrame], choice: FaceChoice) -> int:
    """Return the number of the face that is where `choice` says at its time (or at the end of the frames).

    Raises FaceNotFound, naming the faces that are there then.
    """
    faces: tuple[SeenFace, ...] = ()
    for seen in frames:
        faces = seen.faces
        if choice.at_s is None or seen.time_s >= choice.at_s:
            break
    face = requested_face(faces, choice)
    if face is None:
        there = "; ".join(f"{track} at {','.join(f'{edge:.0f}' for edge in box.edges)}" for track, box in faces)
        raise FaceNotFound(f"there is no face at {choice}; the faces at that time: {there or 'none'}")
    return face.track
