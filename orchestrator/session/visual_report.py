"""The part of `report.json` that tells of shots, faces, and whose lips moved when and why."""

import msgspec

from orchestrator.face_choice import FaceChoice
from orchestrator.visual.casting import ChosenBy
from orchestrator.visual.chronicle import Box, Chronicle, TrackStory

PixelBox = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the upright picture, as the request's `face` takes them."""


class ShotEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch between two cuts, milliseconds of the source's clock."""

    start_ms: int
    end_ms: int


class TrackEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One face through one shot."""

    id: int
    """What the request's `face` takes."""
    shot: int
    """1, 2, …: place in `shots`."""
    first_ms: int
    last_ms: int
    first_box: PixelBox
    """In the first frame."""
    mean_box: PixelBox
    """Over all its frames."""
    frames: int
    """In which it is in sight."""
    detections: int
    """Frames in which the detector found it; it was interpolated in the others."""
    speaking_share: float
    """Part of its frames in which it was chosen."""


class SpeakerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which the lips of one face were the ones to move."""

    start_ms: int
    end_ms: int
    track: int
    chosen_by: str
    """`only`: no other face was in sight; `speaker`: its mouth moved with the sound; `largest`: there were several, and
    no mouth moved with the sound (the face before, else the largest); `request`: `face` of the request; `correction`: a
    person said that it speaks this sentence."""


class VisualReport(msgspec.Struct, frozen=True, kw_only=True):
    """Whose lips moved."""

    face: str
    """As the request says; "" = the one who speaks."""
    shots: list[ShotEntry]
    tracks: list[TrackEntry]
    speakers: list[SpeakerEntry]
    """Without the stretches in which nobody's lips move."""
    chosen_by_s: dict[str, float]
    """Seconds for each reason."""


def visual_report(chronicle: Chronicle, face: FaceChoice | None) -> VisualReport:
    """Return the report of a clip that was seen to its end."""
    seconds = dict.fromkeys((reason.value for reason in ChosenBy), 0.0)
    for choice in chronicle.choices:
        seconds[choice.chosen_by.value] += choice.end_s - choice.start_s
    return VisualReport(
        face=str(face or ""),
        shots=[ShotEntry(start_ms=_ms(shot.start_s), end_ms=_ms(shot.end_s)) for shot in chronicle.shots],
        tracks=[_track(chronicle.tracks[track]) for track in sorted(chronicle.tracks)],
        speakers=[
            SpeakerEntry(
                start_ms=_ms(choice.start_s),
                end_ms=_ms(choice.end_s),
                track=choice.track,
                chosen_by=choice.chosen_by.value,
            )
            for choice in chronicle.choices
        ],
        chosen_by_s={reason: round(total_s, 3) for reason, total_s in seconds.items()},
    )


def _track(story: TrackStory) -> TrackEntry:
    return TrackEntry(
        id=story.track,
        shot=story.shot,
        first_ms=_ms(story.first_s),
        last_ms=_ms(story.last_s),
        first_box=_pixels(story.first_box),
        mean_box=_pixels(story.mean_box),
        frames=story.frames,
        detections=story.detections,
        speaking_share=round(story.chosen_frames / story.frames, 3),
    )


def _pixels(box: Box) -> PixelBox:
    """Round, and stop at the picture's upper and left edge, which the field's numbers cannot cross."""
    x1, y1, x2, y2 = (round(max(0.0, edge), 1) for edge in box)
    return x1, y1, x2, y2


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
