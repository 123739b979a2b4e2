import av
import numpy as np
import pytest

from orchestrator.visual.planes import copy_of, planes_of
from tests.visual_factory import BT709, FULL, make_frame, plane_copies


@pytest.mark.parametrize("size", [(64, 48), (65, 47), (33, 2), (1, 1)])
def test_a_copy_has_the_same_pixels_and_memory_of_its_own(size):
    frame = make_frame(*size)
    before = plane_copies(frame)
    copy = copy_of(frame)
    assert all(np.array_equal(a, b) for a, b in zip(plane_copies(copy), before, strict=True))
    for plane in planes_of(copy):
        plane[:] = 0
    assert all(np.array_equal(a, b) for a, b in zip(plane_copies(frame), before, strict=True))


def test_a_copy_keeps_time_and_colour():
    frame = make_frame(colorspace=BT709, color_range=FULL)
    frame.color_primaries, frame.color_trc, frame.duration = 9, 16, 3600
    copy = copy_of(frame)
    for name in ("pts", "time_base", "duration", "colorspace", "color_range", "color_primaries", "color_trc"):
        assert getattr(copy, name) == getattr(frame, name), name


def test_chroma_planes_of_odd_pictures_are_rounded_up():
    luma, blue, red = planes_of(make_frame(65, 47))
    assert luma.shape == (47, 65)
    assert blue.shape == red.shape == (24, 33)


def test_another_pixel_format_is_refused():
    with pytest.raises(ValueError, match="rgb24"):
        planes_of(av.VideoFrame(16, 16, "rgb24"))
