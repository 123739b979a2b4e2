import math

import pytest

from orchestrator.settings import VisualSettings
from orchestrator.visual.tracker import FaceTracker
from tests.visual_factory import face_at

STEP_S = 0.2
SETTINGS = VisualSettings(track_lost_after_s=0.5)


def observe(tracker, *detections):
    """Each argument is the list of faces found at one detection, STEP_S apart from 0 on."""
    for n, faces in enumerate(detections):
        tracker.observe(faces, n * STEP_S)


def middle(box):
    return None if box is None else round((box.x1 + box.x2) / 2)


def test_without_faces_nothing_is_followed():
    tracker = FaceTracker(SETTINGS)
    observe(tracker, [], [], [])
    assert tracker.settled_until_s() == pytest.approx(2 * STEP_S)
    assert tracker.face_at(0.1) is None
    assert tracker.followed_count == 0


def test_the_largest_face_is_followed():
    tracker = FaceTracker(SETTINGS)
    observe(tracker, *[[face_at(100, 100, 60), face_at(400, 100, 90), face_at(700, 100, 70)]] * 4)
    assert middle(tracker.face_at(0.0)) == 400


def test_two_people_of_similar_size_never_swap():
    tracker = FaceTracker(SETTINGS)
    wobble = [1.02, 0.97, 0.95, 1.0, 0.96, 1.01]
    observe(tracker, *[[face_at(400, 100, 100), face_at(150, 100, 100 * by)] for by in wobble])
    followed = {middle(tracker.face_at(n * STEP_S / 2)) for n in range(2 * len(wobble) - 1)}
    assert len(followed) == 1
    assert tracker.followed_count == 1


def test_a_neighbour_is_not_followed_while_the_face_is_only_missed():
    tracker = FaceTracker(SETTINGS)
    speaker, neighbour = face_at(150, 100, 100), face_at(400, 100, 90)
    observe(tracker, [speaker, neighbour], [speaker, neighbour], [neighbour], [speaker, neighbour])
    assert [middle(tracker.face_at(n * STEP_S)) for n in range(4)] == [150] * 4


def test_a_gap_is_bridged_when_the_face_comes_back_in_time():
    tracker = FaceTracker(SETTINGS)
    observe(tracker, [face_at(100, 100, 100)], [face_at(110, 100, 100)], [], [face_at(130, 100, 100)])
    assert middle(tracker.face_at(2 * STEP_S)) == pytest.approx(120, abs=1)


def test_a_missed_face_is_not_settled_until_it_is_seen_again_or_lost():
    tracker = FaceTracker(SETTINGS)
    faces = [[face_at(100, 100, 100)]] * 4
    observe(tracker, *faces)
    settled_s = tracker.settled_until_s()
    assert settled_s == pytest.approx(1 * STEP_S)
    tracker.face_at(0.0)
    tracker.observe([], 4 * STEP_S)
    assert tracker.settled_until_s() == settled_s
    tracker.observe([], 6 * STEP_S)
    assert tracker.settled_until_s() == pytest.approx(6 * STEP_S)


def test_a_lost_face_ends_at_its_last_detection():
    tracker = FaceTracker(SETTINGS)
    observe(tracker, [face_at(100, 100, 100)], [face_at(100, 100, 100)], [], [], [])
    assert tracker.face_at(STEP_S) is not None
    assert tracker.face_at(STEP_S + 0.01) is None


def test_after_a_cut_the_new_face_is_followed_from_its_first_detection():
    tracker = FaceTracker(SETTINGS)
    before, after = [face_at(100, 100, 100)], [face_at(400, 150, 80)]
    observe(tracker, before, before, before, after, after, after, after, after)
    followed = [middle(tracker.face_at(n * STEP_S / 2)) for n in range(12)]
    assert followed == [100] * 5 + [None] + [400] * 6
    assert tracker.followed_count == 2


def test_a_single_false_find_does_not_win_over_a_face_that_stays():
    tracker = FaceTracker(SETTINGS)
    face = face_at(100, 100, 100)
    observe(tracker, [face, face_at(400, 150, 180)], [face], [face], [face])
    assert middle(tracker.face_at(0.0)) == 100


def test_a_face_seen_once_in_the_only_frame_is_followed():
    tracker = FaceTracker(SETTINGS)
    observe(tracker, [face_at(100, 100, 100)])
    assert middle(tracker.face_at(0.0)) == 100


def test_a_live_face_is_extrapolated_when_it_must_be():
    tracker = FaceTracker(SETTINGS)
    observe(tracker, *[[face_at(100 + 20 * n, 100, 100)] for n in range(5)])
    box = tracker.face_at(4 * STEP_S + 0.1)
    assert middle(box) == pytest.approx(190, abs=2)
    assert box.predicted
    assert tracker.face_at(4 * STEP_S + 0.51) is None


def test_a_long_clip_leaves_no_past_behind():
    tracker = FaceTracker(SETTINGS)
    for n in range(500):
        tracker.observe([face_at(100 + math.sin(n) * 5, 100, 100), face_at(1000 * (n % 7), 600, 50)], n * STEP_S)
        settled_s = tracker.settled_until_s()
        if settled_s > 0:
            tracker.face_at(settled_s - 0.01)
            tracker.forget_before(settled_s - 0.01)
    assert len(tracker._tracks) < 12
    assert max(len(track._steps) for track in tracker._tracks) < 8
