from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import EngineUnavailable
from orchestrator.settings import VisualSettings
from orchestrator.visual.detection import FaceFinder, small_size
from orchestrator.visual.planes import planes_of
from orchestrator.visual.retry import EngineRetry
from tests.fakes.engines import FakeFaces, no_face
from tests.visual_factory import make_clip_info, make_frame

SETTINGS = VisualSettings(detector_short_side_px=64, min_face_px=16, engine_retry_delay_s=0.001)


def finder(faces, clip=None, settings=SETTINGS):
    return FaceFinder(faces, clip or make_clip_info(), settings, EngineRetry(settings))


def find(faces, frames, **more):
    one = finder(faces, **more)
    return one.find([one.picture(frame) for frame in frames], frames, "00-trace-parent-01")


@given(
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.fractions(Fraction(1, 2), 2, max_denominator=64),
    st.integers(64, 720),
)
def test_a_detector_picture_keeps_the_proportions_and_never_grows(width, height, aspect, short_side):
    small_width, small_height = small_size(width, height, aspect, short_side)
    assert 1 <= small_width <= width
    assert 1 <= small_height <= height
    assert min(small_width, small_height) <= short_side
    if min(width, height) > 720:
        assert small_width / small_height == pytest.approx(width * aspect / height, rel=0.03)


def test_boxes_come_back_in_the_pixels_of_the_frame():
    frames = [make_frame(256, 192)] * 2
    faces = FakeFaces(look=lambda frame: np.array([[10, 20, 30, 44, 0.9]], np.float32))
    found = find(faces, frames)
    assert faces.calls[0].shape == (2, 64, 85, 3)
    assert faces.calls[0].traceparent == "00-trace-parent-01"
    (box,) = found[1]
    scale_x, scale_y = 256 / 85, 192 / 64
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((10 * scale_x, 20 * scale_y, 30 * scale_x, 44 * scale_y))
    assert box.score == pytest.approx(0.9)
    assert not box.predicted


def test_a_small_frame_is_not_scaled_up():
    assert finder(FakeFaces()).picture(make_frame(50, 40)).shape == (40, 50, 3)


@pytest.mark.parametrize(
    ("settings", "engine", "height_px"), [(None, None, 360), (None, 192, 192), (300, 192, 300), (300, None, 300)]
)
def test_the_short_side_is_the_settings_else_the_engines_else_360(settings, engine, height_px):
    one = finder(FakeFaces(short_side_px=engine), settings=VisualSettings(detector_short_side_px=settings))
    assert one.picture(make_frame(1024, 768)).shape[:2] == (height_px, round(1024 * height_px / 768))


def test_an_engine_that_is_away_for_a_moment_is_asked_for_its_short_side_again():
    class Starting(FakeFaces):
        def __getattribute__(self, name):
            if name == "short_side_px":
                self._fail_if_told()
            return super().__getattribute__(name)

    faces = Starting(failures=[EngineUnavailable("faces", "away")], short_side_px=96)
    one = finder(faces, settings=VisualSettings(engine_retry_delay_s=0.001))
    assert one.picture(make_frame(256, 192)).shape[0] == 96


def test_wide_pixels_are_made_square_before_the_detector_sees_them():
    clip = make_clip_info(256, 192, sample_aspect_ratio=Fraction(2))
    assert finder(FakeFaces(), clip).picture(make_frame(256, 192)).shape[:2] == (64, 171)
    turned = make_clip_info(192, 256, sample_aspect_ratio=Fraction(1, 2), rotation_deg=90)
    assert finder(FakeFaces(), turned).picture(make_frame(256, 192)).shape[:2] == (64, 171)
    unstated = make_clip_info(256, 192, sample_aspect_ratio=Fraction(0))
    assert finder(FakeFaces(), unstated).picture(make_frame(256, 192)).shape[:2] == (64, 85)


def test_the_picture_is_the_frame_in_rgb():
    frame = make_frame(256, 192)
    for plane, value in zip(planes_of(frame), (81, 90, 240), strict=True):  # red in limited BT.601
        plane[:] = value
    picture = finder(FakeFaces()).picture(frame)
    assert np.abs(picture.astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize(("width", "height"), [(64, 14), (14, 64)])
def test_frames_without_room_for_a_face_are_not_sent_to_the_detector(width, height):
    faces = FakeFaces()
    assert find(faces, [make_frame(width, height)] * 2) == [[], []]
    assert faces.calls == []


def test_doubtful_small_and_empty_boxes_are_left_out():
    rows = [[0, 0, 40, 40, 0.1], [0, 0, 3, 3, 0.9], [20, 20, 20, 20, 0.9], [9, 9, 30, 30, 0.8]]
    (found,) = find(FakeFaces(look=lambda frame: np.array(rows, np.float32)), [make_frame(128, 128)])
    assert [box.score for box in found] == [pytest.approx(0.8)]


def test_no_face_is_an_answer():
    assert find(FakeFaces(look=no_face), [make_frame()]) == [[]]


def test_a_detector_that_was_away_is_asked_again():
    faces = FakeFaces(failures=[EngineUnavailable("faces", "starting")])
    assert len(find(faces, [make_frame()])) == 1
    assert len(faces.calls) == 2
