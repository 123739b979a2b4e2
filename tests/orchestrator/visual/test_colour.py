import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from orchestrator.visual.colour import Colour, rounded
from tests.visual_factory import BT601, BT709, FULL, LIMITED, UNSPECIFIED, make_frame

SYSTEMS = [Colour(0.299, 0.114, False), Colour(0.2126, 0.0722, False), Colour(0.299, 0.114, True)]


@pytest.mark.parametrize("colour", SYSTEMS)
@given(picture=arrays(np.uint8, (2, 3, 3)))
def test_rgb_comes_back_from_yuv(colour, picture):
    back = colour.to_rgb(rounded(colour.to_yuv(picture)))
    assert np.abs(back.astype(int) - picture).max() <= 3  # rounding of three planes, amplified by the inverse matrix


@pytest.mark.parametrize("colour", SYSTEMS)
@given(first=arrays(np.uint8, (2, 3, 3)), second=arrays(np.uint8, (2, 3, 3)))
def test_the_difference_of_two_pictures_is_the_difference_of_their_planes(colour, first, second):
    difference = colour.difference_to_yuv(first.astype(np.float32) - second)
    np.testing.assert_allclose(difference, colour.to_yuv(first) - colour.to_yuv(second), atol=1e-3)


def test_white_and_black_lie_at_the_ends_of_the_range():
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    limited = rounded(Colour(0.2126, 0.0722, full_range=False).to_yuv(ends))
    full = rounded(Colour(0.2126, 0.0722, full_range=True).to_yuv(ends))
    assert limited.tolist() == [[[16, 128, 128], [235, 128, 128]]]
    assert full.tolist() == [[[0, 128, 128], [255, 128, 128]]]


def test_rounding_is_to_the_nearest_and_stays_in_a_byte():
    assert rounded(np.array([-3, 0.4, 0.6, 254.6, 300], np.float32)).tolist() == [0, 0, 1, 255, 255]


@pytest.mark.parametrize(
    ("colorspace", "color_range", "name", "range_name"),
    [(BT601, LIMITED, "ITU601", "MPEG"), (BT709, LIMITED, "ITU709", "MPEG"), (BT709, FULL, "ITU709", "JPEG")],
)
def test_frames_convert_as_ffmpeg_converts_them(colorspace, color_range, name, range_name):
    frame = make_frame(64, 64, colorspace=colorspace, color_range=color_range)
    for plane in frame.planes[1:]:  # even chroma: scaling it up must not matter here
        np.frombuffer(plane, np.uint8)[:] = 150
    theirs = frame.reformat(
        format="rgb24", src_colorspace=name, src_color_range=range_name, dst_color_range="JPEG"
    ).to_ndarray()
    luma = frame.to_ndarray()[:64]
    ours = Colour.of(frame).to_rgb(cv2.merge([luma, np.full_like(luma, 150), np.full_like(luma, 150)]))
    assert np.abs(ours.astype(int) - theirs).max() <= 2


@pytest.mark.parametrize(("size", "red_weight"), [((640, 480), 0.299), ((1280, 720), 0.2126), ((720, 1280), 0.2126)])
def test_an_untagged_frame_is_taken_for_hd_by_its_size(size, red_weight):
    frame = av.VideoFrame(*size, "yuv420p")
    frame.colorspace = UNSPECIFIED
    assert Colour.of(frame).red_weight == red_weight
    assert not Colour.of(frame).full_range


def test_a_jpeg_frame_has_full_range():
    assert Colour.of(av.VideoFrame(16, 16, "yuvj420p")).full_range
