import numpy as np
import pytest

from orchestrator.visual.colour import Colour
from orchestrator.visual.crop import cut_crop
from orchestrator.visual.geometry import Rect, face_region
from orchestrator.visual.planes import planes_of
from tests.visual_factory import BT601, BT709, FULL, LIMITED, face_at, make_frame, plane_copies


def grey_ramp(width, height):
    """Luma rises by 1 a column, no colour."""
    frame = make_frame(width, height)
    luma, blue, red = planes_of(frame)
    luma[:] = 40 + np.arange(width) % 160
    blue[:], red[:] = 128, 128
    return frame


def test_a_crop_is_rgb_of_the_size_asked_for():
    crop = cut_crop(make_frame(), Rect(10, 10, 40, 40), 32)
    assert crop.shape == (32, 32, 3)
    assert crop.dtype == np.uint8
    assert crop.flags.c_contiguous


@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5, 0.75])
def test_a_crop_follows_its_face_by_fractions_of_a_pixel(shift):
    frame = grey_ramp(100, 60)
    crop = cut_crop(frame, Rect(20 + shift, 10, 52 + shift, 42), 64)
    columns = 20 + shift + (np.arange(64) + 0.5) / 2 - 0.5
    expected = (40 + columns - 16) * 255 / 219
    assert np.abs(crop[32, :, 0] - expected).max() <= 1.2


@pytest.mark.parametrize("colorspace", [BT601, BT709])
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_a_plain_colour_is_seen_as_it_was_meant(colorspace, color_range):
    frame = make_frame(64, 48, colorspace=colorspace, color_range=color_range)
    skin = np.array([[[205, 150, 125]]], np.uint8)
    for plane, value in zip(planes_of(frame), Colour.of(frame).to_yuv(skin)[0, 0], strict=True):
        plane[:] = round(float(value))
    crop = cut_crop(frame, face_region(face_at(32, 24, 30), (0, 0, 0, 0)), 32)
    assert np.abs(crop.astype(int) - skin).max() <= 2


def test_the_edge_is_repeated_where_the_border_cuts_the_face():
    frame = grey_ramp(64, 48)
    crop = cut_crop(frame, Rect(-16, 8, 16, 40), 32)
    assert np.all(crop[:, :16] == crop[0, 0])
    assert crop[0, 31, 0] > crop[0, 0, 0]


def test_a_face_outside_the_picture_is_still_a_crop():
    assert cut_crop(make_frame(), Rect(200, 200, 260, 260), 16).shape == (16, 16, 3)


def test_cutting_leaves_the_frame_alone():
    frame = make_frame()
    before = plane_copies(frame)
    cut_crop(frame, Rect(3.3, 4.4, 33.3, 34.4), 48)
    assert all(np.array_equal(a, b) for a, b in zip(plane_copies(frame), before, strict=True))
