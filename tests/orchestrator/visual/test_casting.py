import pytest

from orchestrator.errors import FaceNotFound
from orchestrator.face_choice import FaceChoice
from orchestrator.visual.casting import ChosenBy, LargestCasting, RequestedCasting, track_at
from orchestrator.visual.seen import SeenFace, SeenFrame
from tests.visual_factory import face_at, make_frame

FRAME = make_frame()


def seen(index, *faces, shot=1):
    """A frame at 25 frames/s; faces are (track, x, width)."""
    boxes = tuple(SeenFace(track, face_at(x, 100, width)) for track, x, width in faces)
    return SeenFrame(index, index / 25, FRAME, shot, boxes)


def cast(casting, *frames):
    out = [one for frame in frames for one in casting.push(frame)]
    return [(one.track, one.chosen_by) for one in [*out, *casting.finish()]]


def test_the_largest_face_is_followed_as_long_as_it_lasts():
    frames = [
        seen(0, (1, 100, 60)),
        seen(1, (1, 100, 60), (2, 300, 90)),
        seen(2, (2, 300, 80), (3, 500, 90)),
        seen(3),
        seen(4, (2, 300, 80), (3, 500, 90)),
    ]
    assert cast(LargestCasting(), *frames) == [
        (1, ChosenBy.ONLY),
        (1, ChosenBy.LARGEST),
        (3, ChosenBy.LARGEST),
        (0, None),
        (3, ChosenBy.LARGEST),
    ]


def test_a_number_chooses_that_face_and_no_other():
    frames = [seen(0, (1, 100, 60)), seen(1, (1, 100, 60), (2, 300, 30)), seen(2, (2, 300, 30)), seen(3, (3, 300, 30))]
    chosen = cast(RequestedCasting(FaceChoice(track=2)), *frames)
    assert chosen == [(0, None), (2, ChosenBy.REQUEST), (2, ChosenBy.REQUEST), (0, None)]


def test_a_box_chooses_the_face_that_overlaps_it_most_at_each_time():
    box = FaceChoice(box=(270, 60, 350, 140))
    frames = [
        seen(0, (1, 100, 60), (2, 300, 60)),
        seen(1, (1, 320, 80), (2, 300, 60)),
        seen(2, (1, 100, 60)),
        seen(3, (5, 310, 70), shot=2),
    ]
    assert [track for track, _ in cast(RequestedCasting(box), *frames)] == [2, 1, 0, 5]


def test_the_face_at_a_time_is_looked_up_and_no_frame_behind_it_is_read():
    frames = iter([seen(0, (1, 100, 60)), seen(1, (1, 300, 60)), seen(2, (2, 100, 60), shot=2), seen(3)])
    assert track_at(frames, FaceChoice(box=(70, 70, 130, 130), at_s=0.06)) == 2
    assert next(frames).index == 3


def test_a_place_without_a_face_names_those_that_are_there():
    with pytest.raises(FaceNotFound, match=r"2 at 70,70,130,130"):
        track_at(iter([seen(0, (2, 100, 60))]), FaceChoice(box=(300, 70, 360, 130), at_s=0.0))
    with pytest.raises(FaceNotFound, match="none"):
        track_at(iter([]), FaceChoice(box=(300, 70, 360, 130), at_s=0.0))


def test_the_renderer_is_given_the_box_of_the_chosen_face():
    frame = seen(7, (1, 100, 60), (2, 300, 90))
    (one,) = LargestCasting().push(frame)
    assert one.tracked.face == frame.faces[1].box
    assert (one.tracked.index, one.tracked.time_s) == (7, 7 / 25)
    (none,) = RequestedCasting(FaceChoice(track=9)).push(frame)
    assert none.tracked.face is None
    assert none.tracked.frame is FRAME
