import numpy as np
import pytest

from orchestrator.settings import VisualSettings
from tests.benchmarks.moving_face import FPS, MOTIONS, moving_face, pictures
from tests.benchmarks.tracking_figures import errors, held, jitter, lag_ms, path_of, roughness, steadied
from tests.visual_factory import face_at

TIMES_S = np.arange(150) / FPS


@pytest.mark.parametrize("late_s", [0.0, 0.013, 0.08, -0.05])
def test_a_late_path_is_as_late_as_it_was_made(late_s):
    def sway(times_s):
        return np.sin(2 * np.pi * times_s) + 0.3 * np.sin(5 * times_s)

    assert lag_ms(sway(TIMES_S - late_s), sway(TIMES_S)) == pytest.approx(late_s * 1000, abs=2.5)


def test_a_steady_path_has_no_jitter_however_fast_and_a_shaken_one_has_its_own():
    truth = np.stack([3 * TIMES_S, -TIMES_S, np.zeros(150)], axis=1)
    assert roughness(truth) == pytest.approx(0, abs=1e-9)
    shaken = truth + np.random.default_rng(0).normal(0, 0.01, truth.shape)
    assert jitter(errors(shaken, truth)) == pytest.approx(0.01 * np.sqrt(6), rel=0.25)


def test_errors_are_in_widths_and_forget_a_constant():
    truth = np.tile([100.0, 50.0, np.log(20.0)], (9, 1))
    seen = truth + np.array([4.0, 2.0, 0.1])
    seen[4, 0] += 2.0
    off = errors(seen, truth)
    assert off[4] == pytest.approx([0.1, 0, 0])
    assert np.delete(off, 4, axis=0) == pytest.approx(0)


def test_both_ways_give_a_box_for_every_frame_and_agree_on_steady_motion():
    boxes = [face_at(100 + 2 * n, 80, 50) for n in range(23)]
    whole = path_of(boxes)
    assert held(boxes, 5) == pytest.approx(whole)
    assert np.abs(steadied(boxes, 5, VisualSettings()) - whole)[5:].max() < 0.2


def test_the_pictures_show_the_face_where_the_path_says():
    path = moving_face("shake, 1 per s", 0.4, 96.0)
    shown = [picture.astype(np.float64).mean(axis=2) for picture in pictures(path)]
    shift = round(path.x[5] - path.x[0])
    assert shift > 10
    first, later = shown[0][100:260, 250:400], shown[5][100:260, 250 + shift : 400 + shift]
    assert np.abs(first - later).mean() < 6 < np.abs(first - shown[5][100:260, 250:400]).mean()


@pytest.mark.parametrize("motion", MOTIONS)
def test_every_motion_starts_at_the_given_width(motion):
    path = moving_face(motion, 4.0, 90.0)
    assert path.width[0] == pytest.approx(90)
    assert len(path.x) == len(path.y) == len(path.width) == len(path.times_s) == 100
