"""What became of all faces: shots, tracks, and who was chosen when and why. Kept for the report."""

from dataclasses import dataclass

from orchestrator.media.clip import FaceBox
from orchestrator.visual.casting import Cast, ChosenBy

MOST_NAMED = 20
"""Faces that an error names."""

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class TrackStory:
    """One face through one shot. Times are those of frames, in seconds of the source."""

    track: int
    shot: int
    first_s: float
    last_s: float
    first_box: Box
    """x1, y1, x2, y2 in pixels of the upright picture, in the first frame."""
    frames: int = 0
    """In which it was in sight."""
    detections: int = 0
    """Frames in which the detector found it; it was interpolated in the others."""
    chosen_frames: int = 0
    """In which its lips were the ones to move."""
    box_sum: Box = (0.0, 0.0, 0.0, 0.0)

    @property
    def mean_box(self) -> Box:
        """Over all frames in which it was in sight."""
        x1, y1, x2, y2 = (edge / max(1, self.frames) for edge in self.box_sum)
        return x1, y1, x2, y2

    def see(self, box: FaceBox, time_s: float) -> None:
        """Take one frame in."""
        x1, y1, x2, y2 = self.box_sum
        self.box_sum = (x1 + box.x1, y1 + box.y1, x2 + box.x2, y2 + box.y2)
        self.frames += 1
        self.detections += not box.predicted
        self.last_s = time_s


@dataclass(slots=True)
class Span:
    """A stretch of frames of one kind; ends where the next one begins."""

    start_s: float
    end_s: float


@dataclass(slots=True)
class Choice(Span):
    """A stretch in which one face was chosen for one reason."""

    track: int
    chosen_by: ChosenBy


class Chronicle:
    """Grows with the number of shots and faces of a clip, not with its frames."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.shots: list[Span] = []
        self.tracks: dict[int, TrackStory] = {}
        self.choices: list[Choice] = []
        self._last: Cast | None = None

    def note(self, cast: Cast) -> None:
        """Take the next frame in."""
        seen, time_s = cast.seen, cast.seen.time_s
        before, self._last = self._last, cast
        if before is not None and self.shots:
            self.shots[-1].end_s = time_s
        if before is None or before.seen.shot != seen.shot:
            self.shots.append(Span(time_s, time_s))
        for face in seen.faces:
            if face.track not in self.tracks:
                self.tracks[face.track] = TrackStory(face.track, seen.shot, time_s, time_s, face.box.edges)
            self.tracks[face.track].see(face.box, time_s)
        if cast.track:
            self.tracks[cast.track].chosen_frames += 1
        self._note_choice(before, cast)

    def _note_choice(self, before: Cast | None, cast: Cast) -> None:
        time_s = cast.seen.time_s
        if before is not None and before.track:
            self.choices[-1].end_s = time_s
        if cast.chosen_by is None:
            return
        if before is None or (before.track, before.chosen_by) != (cast.track, cast.chosen_by):
            self.choices.append(Choice(time_s, time_s, cast.track, cast.chosen_by))

    def end(self, time_s: float) -> None:
        """The clip ends here: what still lasts, ends."""
        if self._last is not None:
            self.shots[-1].end_s = max(self.shots[-1].end_s, time_s)
            if self._last.track:
                self.choices[-1].end_s = max(self.choices[-1].end_s, time_s)

    @property
    def followed(self) -> int:
        """Number of faces that were chosen at some time."""
        return len({choice.track for choice in self.choices})

    def chosen_in(self, start_s: float, end_s: float) -> int:
        """Return the track that was chosen for most of a stretch, 0 for none."""
        shares: dict[int, float] = {}
        for choice in self.choices:
            shared_s = min(end_s, choice.end_s) - max(start_s, choice.start_s)
            if shared_s > 0:
                shares[choice.track] = shares.get(choice.track, 0.0) + shared_s
        return max(shares, key=lambda track: (shares[track], -track), default=0)

    def faces_there(self) -> str:
        """Say in words which faces the clip shows."""
        shown = [f"{story.track} ({story.first_s:.1f}..{story.last_s:.1f} s)" for story in self.tracks.values()]
        if not shown:
            return "the clip shows no face"
        more = f" and {len(shown) - MOST_NAMED} more" if len(shown) > MOST_NAMED else ""
        return f"the clip's faces are {', '.join(shown[:MOST_NAMED])}{more}"
