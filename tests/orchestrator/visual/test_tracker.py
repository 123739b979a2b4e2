import math

import pytest

from orchestrator.settings import VisualSettings
from orchestrator.visual.casting import LargestCasting
from orchestrator.visual.seen import SeenFrame
from orchestrator.visual.tracker import FaceTracker
from tests.visual_factory import face_at, make_frame

STEP_S = 0.2
SETTINGS = VisualSettings(track_lost_after_s=0.5)


def observe(tracker, *detections):
    """Each argument is the list of faces found at one detection, STEP_S apart from 0 on."""
    for n, faces in enumerate(detections):
        tracker.observe(faces, n * STEP_S)


def middle(box):
    return None if box is None else round((box.x1 + box.x2) / 2)


class Largest:
    """A tracker and the choice of the largest face."""

    def __init__(self, settings):
        self._tracker = FaceTracker(settings)
        self._casting = LargestCasting()
        self.followed = set()

    def __getattr__(self, name):
        return getattr(self._tracker, name)

    def face_at(self, time_s):
        cast = self._casting.decide(SeenFrame(0, time_s, make_frame(), 1, self._tracker.faces_at(time_s)))
        self.followed |= {cast.track} - {0}
        return cast.tracked.face


def numbers(tracker, time_s):
    return {middle(face.box): face.track for face in tracker.faces_at(time_s)}


def test_without_faces_nothing_is_followed():
    tracker = Largest(SETTINGS)
    observe(tracker, [], [], [])
    assert tracker.settled_until_s() == pytest.approx(2 * STEP_S)
    assert tracker.face_at(0.1) is None
    assert tracker.followed == set()


def test_the_largest_face_is_followed():
    tracker = Largest(SETTINGS)
    observe(tracker, *[[face_at(100, 100, 60), face_at(400, 100, 90), face_at(700, 100, 70)]] * 4)
    assert middle(tracker.face_at(0.0)) == 400


def test_two_people_of_similar_size_never_swap():
    tracker = Largest(SETTINGS)
    wobble = [1.02, 0.97, 0.95, 1.0, 0.96, 1.01]
    observe(tracker, *[[face_at(400, 100, 100), face_at(150, 100, 100 * by)] for by in wobble])
    followed = {middle(tracker.face_at(n * STEP_S / 2)) for n in range(2 * len(wobble) - 1)}
    assert len(followed) == 1
    assert len(tracker.followed) == 1


def test_a_neighbour_is_not_followed_while_the_face_is_only_missed():
    tracker = Largest(SETTINGS)
    speaker, neighbour = face_at(150, 100, 100), face_at(400, 100, 90)
    observe(tracker, [speaker, neighbour], [speaker, neighbour], [neighbour], [speaker, neighbour])
    assert [middle(tracker.face_at(n * STEP_S)) for n in range(4)] == [150] * 4


def test_a_gap_is_bridged_when_the_face_comes_back_in_time():
    tracker = Largest(SETTINGS)
    observe(tracker, [face_at(100, 100, 100)], [face_at(110, 100, 100)], [], [face_at(130, 100, 100)])
    assert middle(tracker.face_at(2 * STEP_S)) == pytest.approx(120, abs=1)


def test_a_missed_face_is_not_settled_until_it_is_seen_again_or_lost():
    tracker = Largest(SETTINGS)
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
    tracker = Largest(SETTINGS)
    observe(tracker, [face_at(100, 100, 100)], [face_at(100, 100, 100)], [], [], [])
    assert tracker.face_at(STEP_S) is not None
    assert tracker.face_at(STEP_S + 0.01) is None


def test_after_a_cut_the_new_face_is_followed_from_its_first_detection():
    tracker = Largest(SETTINGS)
    before, after = [face_at(100, 100, 100)], [face_at(400, 150, 80)]
    observe(tracker, before, before, before, after, after, after, after, after)
    followed = [middle(tracker.face_at(n * STEP_S / 2)) for n in range(12)]
    assert followed == [100] * 5 + [None] + [400] * 6
    assert tracker.followed == {1, 2}


def test_a_single_false_find_does_not_win_over_a_face_that_stays():
    tracker = Largest(SETTINGS)
    face = face_at(100, 100, 100)
    observe(tracker, [face, face_at(400, 150, 180)], [face], [face], [face])
    assert middle(tracker.face_at(0.0)) == 100


def test_a_face_seen_once_in_the_only_frame_is_followed():
    tracker = Largest(SETTINGS)
    observe(tracker, [face_at(100, 100, 100)])
    assert middle(tracker.face_at(0.0)) == 100


def test_a_live_face_is_extrapolated_when_it_must_be():
    tracker = Largest(SETTINGS)
    observe(tracker, *[[face_at(100 + 20 * n, 100, 100)] for n in range(5)])
    box = tracker.face_at(4 * STEP_S + 0.1)
    assert middle(box) == pytest.approx(190, abs=2)
    assert box.predicted
    assert tracker.face_at(4 * STEP_S + 0.51) is None


def test_a_long_clip_leaves_no_past_behind():
    tracker = Largest(SETTINGS)
    for n in range(500):
        tracker.observe([face_at(100 + math.sin(n) * 5, 100, 100), face_at(1000 * (n % 7), 600, 50)], n * STEP_S)
        settled_s = tracker.settled_until_s()
        if settled_s > 0:
            tracker.face_at(settled_s - 0.01)
            tracker.forget_before(settled_s - 0.01)
    assert len(tracker._tracks) < 12
    assert max(len(track.kalman._steps) for track in tracker._tracks) < 8


def test_faces_are_numbered_by_first_sight_then_from_left_to_right():
    tracker = FaceTracker(SETTINGS)
    left, middle_one, right = face_at(150, 100, 60), face_at(400, 100, 90), face_at(700, 100, 70)
    observe(tracker, [right, left], [left, right], [right, middle_one, left], [left, middle_one, right])
    assert numbers(tracker, 0.0) == {150: 1, 700: 2}
    assert numbers(tracker, 3 * STEP_S) == {150: 1, 700: 2, 400: 3}


def test_a_single_false_find_takes_no_number():
    tracker = FaceTracker(SETTINGS)
    face = face_at(100, 100, 100)
    observe(tracker, [face], [face, face_at(300, 100, 50)], [face], [face], [face, face_at(500, 100, 80)])
    tracker.observe([face, face_at(500, 100, 80)], 5 * STEP_S)
    assert numbers(tracker, STEP_S) == {100: 1}
    assert numbers(tracker, 4 * STEP_S) == {100: 1, 500: 2}


def test_a_cut_ends_every_track_even_in_the_same_place():
    tracker = FaceTracker(SETTINGS)
    observe(tracker, [face_at(100, 100, 100)], [face_at(100, 100, 100)])
    tracker.cut()
    for n in (2, 3, 4):
        tracker.observe([face_at(104, 100, 100)], n * STEP_S)
    assert numbers(tracker, STEP_S) == {100: 1}
    assert numbers(tracker, 1.5 * STEP_S) == {}
    assert numbers(tracker, 2 * STEP_S) == {104: 2}
    assert tracker.settled_until_s() == pytest.approx(2 * STEP_S)
