import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.settings import VisualSettings
from orchestrator.visual.track import KalmanTrack, iou
from tests.visual_factory import face_at

FPS, EVERY, WIDTH = 25, 5, 200.0
SETTINGS = VisualSettings()


def follow(motion, seconds=4.0, noise=0.0, seed=0):
    """Detect every EVERY-th frame of `motion(t) -> (x, y, width)`; return the true faces, the track and its view."""
    random = np.random.default_rng(seed)
    times_s = np.arange(round(seconds * FPS) + 1) / FPS
    truth = [face_at(*motion(t)) for t in times_s]
    track = None
    for time_s in times_s[::EVERY]:
        x, y, width = motion(time_s)
        x, y = (np.array([x, y]) + random.normal(0, noise, 2) * width).tolist()
        seen = face_at(x, y, width * (1 + random.normal(0, 2 * noise)))
        if track is None:
            track = KalmanTrack(seen, time_s, SETTINGS)
        else:
            assert track.surprise(seen, time_s) is not None, "a face was taken for another one"
            track.update(seen, time_s)
    return times_s, truth, track


def centre_errors(times_s, truth, boxes):
    """Error of the centre's x in box widths, the first 0.4 s left out (speed is not known there)."""
    errors = [
        ((box.x1 + box.x2) - (face.x1 + face.x2)) / 2 / face.width for face, box in zip(truth, boxes, strict=True)
    ]
    return np.array(errors)[times_s >= 0.4]


MOTIONS = {
    "still": lambda t: (500, 300, WIDTH),
    "sway": lambda t: (500 + 0.1 * WIDTH * np.sin(np.pi * t), 300, WIDTH),
    "fast sway": lambda t: (500 + 0.3 * WIDTH * np.sin(2 * np.pi * t), 300, WIDTH),
    "fast pan": lambda t: (500 + 2 * WIDTH * t, 300, WIDTH),
    "zoom": lambda t: (500, 300, WIDTH * 2 ** (t / 3)),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_with_look_ahead_a_moving_face_is_where_it_is(name):
    times_s, truth, track = follow(MOTIONS[name])
    boxes = [track.at(t) for t in times_s]
    errors = centre_errors(times_s, truth, boxes)
    assert np.abs(errors).max() < 0.025
    sizes = [box.width / face.width for face, box in zip(truth, boxes, strict=True)]
    assert np.abs(np.log(sizes)).max() < 0.02


def test_look_ahead_does_not_lag_where_prediction_overshoots():
    times_s, truth, track = follow(MOTIONS["fast sway"])
    seen = [face for face in truth[::EVERY]]
    predicted, live = [], None
    for n, time_s in enumerate(times_s):
        if n % EVERY == 0:
            face = seen[n // EVERY]
            if live is None:
                live = KalmanTrack(face, time_s, SETTINGS)
            else:
                live.update(face, time_s)
        predicted.append(live.predict(time_s))
    with_future = np.std(centre_errors(times_s, truth, [track.at(t) for t in times_s]))
    without = np.std(centre_errors(times_s, truth, predicted))
    assert with_future < 0.2 * without


def test_noisy_detections_shake_less_than_they_do_without_the_filter():
    times_s, truth, track = follow(MOTIONS["still"], seconds=30, noise=0.02, seed=3)
    random = np.random.default_rng(3)
    held = np.repeat(random.normal(0, 0.02, len(times_s) // EVERY + 1), EVERY)[: len(times_s)]
    smoothed = centre_errors(times_s, truth, [track.at(t) for t in times_s])

    def shake(errors):
        return np.std(np.diff(errors, 2))

    assert np.std(smoothed) < np.std(held)
    assert shake(smoothed) < 0.3 * shake(held)


@given(st.floats(0.1, 3), st.floats(50, 1500))
def test_a_track_starts_at_its_first_detection(aspect, width):
    face = face_at(700, 400, width, width * aspect)
    box = KalmanTrack(face, 1.0, SETTINGS).at(1.0)
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((face.x1, face.y1, face.x2, face.y2))
    assert not box.predicted


def test_only_frames_that_were_detected_themselves_are_not_predicted():
    _, _, track = follow(MOTIONS["sway"], seconds=1)
    assert [track.at(n / FPS).predicted for n in range(12)] == [n % EVERY != 0 for n in range(12)]
    assert track.predict(1.2).predicted


@pytest.mark.parametrize(
    "other",
    [face_at(500 + 1.2 * WIDTH, 300, WIDTH), face_at(500, 300 + 1.5 * WIDTH, WIDTH), face_at(500, 300, 2.2 * WIDTH)],
    ids=["beside", "below", "much larger"],
)
def test_a_detection_somewhere_else_is_another_face(other):
    _, _, track = follow(MOTIONS["sway"], seconds=1)
    assert track.surprise(other, 1.2) is None


def test_a_new_face_may_move_at_once():
    track = KalmanTrack(face_at(500, 300, WIDTH), 0.0, SETTINGS)
    assert track.surprise(face_at(500 + 0.5 * WIDTH, 300, WIDTH), 0.2) is not None


def test_forgetting_keeps_what_later_frames_need():
    times_s, _, track = follow(MOTIONS["fast sway"])
    late = [t for t in times_s if t >= 2.1]
    before = [track.at(t) for t in late]
    track.forget_before(2.1)
    assert [track.at(t) for t in late] == before
    assert track.seen_s(10**6) == 2.0
    assert track.last_seen_s == 4.0


def test_iou_of_boxes_side_by_side_is_zero_and_of_equal_ones_one():
    box = face_at(10, 10, 10)
    assert iou(box, box) == 1
    assert iou(box, face_at(30, 10, 10)) == 0
    assert iou(box, face_at(15, 10, 10)) == pytest.approx(1 / 3)
