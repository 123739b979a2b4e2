import pytest

from orchestrator.media.clip import FaceBox
from orchestrator.session.visual_report import visual_report
from orchestrator.visual.casting import Cast, ChosenBy
from orchestrator.visual.chronicle import Chronicle
from orchestrator.visual.seen import SeenFace, SeenFrame
from tests.visual_factory import make_frame

FRAME = make_frame()


def cast(index, faces, track=0, by=None, shot=1):
    boxes = tuple(SeenFace(number, FaceBox(x, 10, x + 20, 40, 0.9, index % 5 != 0)) for number, x in faces)
    return Cast(SeenFrame(index, index / 25, FRAME, shot, boxes), track, by)


def chronicle(*casts, end_s=None):
    one = Chronicle()
    for each in casts:
        one.note(each)
    one.end(len(casts) / 25 if end_s is None else end_s)
    return one


def story():
    return chronicle(
        *[cast(n, [(1, 10 + n)], 1, ChosenBy.ONLY) for n in range(10)],
        *[cast(n, [(1, 20), (2, 60)], 2, ChosenBy.SPEAKER) for n in range(10, 30)],
        *[cast(n, []) for n in range(30, 40)],
        *[cast(n, [(3, -5)], 3, ChosenBy.ONLY, shot=2) for n in range(40, 50)],
    )


def test_the_report_tells_shots_faces_and_choices():
    report = visual_report(story(), None)
    assert [(shot.start_ms, shot.end_ms) for shot in report.shots] == [(0, 1600), (1600, 2000)]
    assert [(one.start_ms, one.end_ms, one.track, one.chosen_by) for one in report.speakers] == [
        (0, 400, 1, "only"),
        (400, 1200, 2, "speaker"),
        (1600, 2000, 3, "only"),
    ]
    nobody = dict.fromkeys(("largest", "request", "correction"), 0.0)
    assert report.chosen_by_s == {"only": 0.8, "speaker": 0.8, **nobody}
    first, second, third = report.tracks
    assert (first.id, first.shot, first.first_ms, first.last_ms, first.frames) == (1, 1, 0, 1160, 30)
    assert (first.first_box, first.detections) == ((10, 10, 30, 40), 6)
    assert first.mean_box == pytest.approx((18.2, 10, 38.2, 40), abs=0.05)
    assert first.speaking_share == pytest.approx(1 / 3, abs=0.001)
    assert (second.speaking_share, third.shot) == (1.0, 2)
    assert third.first_box == (0, 10, 15, 40)  # stops at the picture's border: can be sent as `face`


def test_the_face_of_a_stretch_is_the_one_chosen_for_most_of_it():
    one = story()
    assert one.followed == 3
    assert one.chosen_in(0.0, 0.7) == 1
    assert one.chosen_in(0.1, 1.2) == 2
    assert one.chosen_in(1.25, 1.5) == 0
    assert one.chosen_in(1.25, 1.9) == 3


def test_without_frames_there_is_nothing_to_tell():
    report = visual_report(chronicle(), None)
    assert (report.shots, report.tracks, report.speakers) == ([], [], [])
    assert chronicle().faces_there() == "the clip shows no face"


def test_an_error_names_no_more_faces_than_can_be_read():
    faces = [(number, number) for number in range(1, 31)]
    text = chronicle(cast(0, faces)).faces_there()
    assert text.startswith("the clip's faces are 1 (0.0..0.0 s), 2 (")
    assert text.endswith("20 (0.0..0.0 s) and 10 more")
