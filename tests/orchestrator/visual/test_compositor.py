from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.media.video import upright
from orchestrator.visual import compositor
from orchestrator.visual.colour import Colour
from orchestrator.visual.compositor import FEATHER_SHARE, Patch, feather, paste
from orchestrator.visual.crop import cut_crop
from orchestrator.visual.geometry import Rect, face_region, pixels_inside
from orchestrator.visual.match import Match
from orchestrator.visual.planes import planes_of
from tests.visual_factory import (
    BT601,
    BT709,
    FULL,
    LIMITED,
    face_at,
    make_frame,
    make_profile,
    plane_copies,
)

PORTRAIT = Path(__file__).parents[3] / "samples" / "astronaut.png"
BLENDS = ["residual", "replace"]
faces = st.builds(face_at, st.floats(-10, 90), st.floats(-10, 70), st.floats(8, 90), st.floats(8, 90))
tags = st.tuples(st.sampled_from([BT601, BT709]), st.sampled_from([LIMITED, FULL]))


def patch_of(frame, face, profile, change):
    square = face_region(face, profile.crop_margins)
    crop = cut_crop(frame, square, profile.face_size_px)
    return Patch(square, crop, change(crop))


def inverted(crop):
    return 255 - crop


def dyed(crop, colour):
    """The middle of the mouth in another colour; around it all is as it was, as with a generator that does well."""
    answer = crop.copy()
    size = len(crop)
    answer[round(0.62 * size) : round(0.84 * size), round(0.35 * size) : round(0.65 * size)] = colour
    return answer


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 81), st.integers(1, 61)),
    faces,
    tags,
    st.sampled_from(BLENDS),
    st.sampled_from([16, 48]),
    st.floats(0.01, 1),
)
def test_every_pixel_outside_the_mouth_region_keeps_its_bits(size, face, tag, blend, crop_px, strength):
    frame = make_frame(*size, seed=1, colorspace=tag[0], color_range=tag[1])
    before = plane_copies(frame)
    profile = make_profile(crop_px, blend)
    patch = patch_of(frame, face, profile, inverted)
    pasted = paste(frame, patch, profile, strength)
    mouth = patch.region.part(profile.mouth_region)
    for plane, source, region in zip(
        planes_of(pasted), before, (mouth, mouth.on_chroma(), mouth.on_chroma()), strict=True
    ):
        outside = np.ones(plane.shape, bool)
        span = pixels_inside(region, plane.shape[1], plane.shape[0])
        if not span.empty:
            outside[span.slices] = feather(span, region) <= 0
        assert np.array_equal(plane[outside], source[outside])
    assert all(np.array_equal(a, b) for a, b in zip(plane_copies(frame), before, strict=True))


@pytest.mark.parametrize("rotation_deg", [90, 180, 270])
@pytest.mark.parametrize("blend", BLENDS)
def test_a_turned_odd_sized_picture_changes_only_in_the_mouth_region(blend, rotation_deg):
    frame = upright(make_frame(81, 121, seed=2), rotation_deg)
    before = plane_copies(frame)
    profile = make_profile(48, blend, mouth=(0.0, 0.5, 1.0, 1.0))
    patch = patch_of(frame, face_at(frame.width / 2 + 0.3, frame.height / 2, 41), profile, inverted)
    mouth = patch.region.part(profile.mouth_region)
    for plane, source, region in zip(
        planes_of(paste(frame, patch, profile)), before, (mouth, mouth.on_chroma(), mouth.on_chroma()), strict=True
    ):
        rows, columns = np.nonzero(plane != source)
        assert len(rows)
        span = pixels_inside(region, plane.shape[1], plane.shape[0])
        assert span.left <= columns.min() and columns.max() < span.right
        assert span.top <= rows.min() and rows.max() < span.bottom


@settings(max_examples=60, deadline=None)
@given(faces, tags, st.sampled_from(BLENDS), st.sampled_from([16, 48, 96]))
def test_an_unchanged_crop_changes_no_bit(face, tag, blend, crop_px):
    frame = make_frame(81, 61, colorspace=tag[0], color_range=tag[1])
    profile = make_profile(crop_px, blend)
    pasted = paste(frame, patch_of(frame, face, profile, np.copy), profile)
    assert all(np.array_equal(a, b) for a, b in zip(plane_copies(pasted), plane_copies(frame), strict=True))


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("tag", [(BT601, LIMITED), (BT709, LIMITED), (BT709, FULL)])
def test_a_dyed_mouth_has_the_colour_that_the_engine_gave_it(blend, tag):
    frame = make_frame(160, 120, colorspace=tag[0], color_range=tag[1])
    for plane, value in zip(planes_of(frame), (120, 120, 140), strict=True):
        plane[:] = value
    profile = make_profile(48, blend)
    colour = np.array([170, 60, 70], np.uint8)
    pasted = paste(frame, patch_of(frame, face_at(80, 60, 80), profile, lambda crop: dyed(crop, colour)), profile)
    square = face_region(face_at(80, 60, 80), profile.crop_margins)
    seen = cut_crop(pasted, square.part((0.4, 0.66, 0.6, 0.8)), 21)[10, 10]
    assert np.abs(seen.astype(int) - colour).max() <= 3


def test_the_change_fades_out_without_a_step():
    frame = make_frame(200, 200)
    for plane, value in zip(planes_of(frame), (120, 128, 128), strict=True):
        plane[:] = value
    profile = make_profile(96, "residual")
    patch = patch_of(frame, face_at(100, 100, 120), profile, lambda crop: crop + np.uint8(80))
    luma = planes_of(paste(frame, patch, profile)).luma.astype(int)
    mouth = patch.region.part(profile.mouth_region)
    steepest = 1.5 * 80 / (FEATHER_SHARE * min(mouth.width, mouth.height))  # of a smoothstep
    assert luma.max() > 180
    assert max(np.abs(np.diff(luma, axis=0)).max(), np.abs(np.diff(luma, axis=1)).max()) <= steepest + 1


def test_the_mask_is_zero_at_the_border_and_one_in_the_middle():
    region = Rect(10, 20, 50, 40)
    mask = feather(pixels_inside(region, 100, 100), region)
    assert mask.shape == (20, 40)
    assert mask[10, 20] == 1
    assert mask[[0, -1]].max() < 0.05
    assert mask[:, [0, -1]].max() < 0.05
    np.testing.assert_allclose(mask, mask[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize("blend", BLENDS)
def test_strength_scales_the_change(blend):
    frame = make_frame(120, 100)
    profile = make_profile(48, blend)
    patch = patch_of(frame, face_at(60, 50, 60), profile, inverted)
    source = planes_of(frame).luma.astype(float)
    whole, half = (planes_of(paste(frame, patch, profile, by)).luma - source for by in (1.0, 0.5))
    assert np.abs(whole).max() > 20
    assert np.abs(half - whole / 2).max() <= 1


def test_a_mouth_outside_the_picture_leaves_the_very_same_frame():
    frame = make_frame(64, 48)
    profile = make_profile()
    assert paste(frame, patch_of(frame, face_at(32, 60, 30), profile, inverted), profile) is frame


def test_a_mouth_cut_by_the_border_is_pasted_up_to_it():
    frame = make_frame(64, 48)
    profile = make_profile()
    pasted = paste(frame, patch_of(frame, face_at(60, 24, 40), profile, inverted), profile)
    changed = planes_of(pasted).luma != planes_of(frame).luma
    assert changed[:, -1].any()


@pytest.mark.parametrize("blend", BLENDS)
def test_a_moved_mouth_lands_where_the_engine_put_it(blend):
    frame = make_frame(120, 120)
    for plane, value in zip(planes_of(frame), (120, 128, 128), strict=True):
        plane[:] = value
    profile = make_profile(60, blend, margins=(0, 0, 0, 0))

    def dot(crop):
        crop = crop.copy()
        crop[42:46, 34:38] = 250
        return crop

    pasted = paste(frame, patch_of(frame, face_at(60.5, 59.25, 90), profile, dot), profile)
    change = np.abs(planes_of(pasted).luma.astype(float) - 120)
    ys, xs = np.mgrid[0:120, 0:120] + 0.5
    assert np.sum(xs * change) / change.sum() == pytest.approx(60.5 - 45 + 36 * 1.5, abs=0.1)
    assert np.sum(ys * change) / change.sum() == pytest.approx(59.25 - 45 + 44 * 1.5, abs=0.1)


def test_a_pasted_frame_keeps_time_and_colour():
    frame = make_frame(120, 100, colorspace=BT709)
    profile = make_profile()
    pasted = paste(frame, patch_of(frame, face_at(60, 50, 60), profile, inverted), profile)
    assert pasted is not frame
    assert (pasted.pts, pasted.time_base) == (frame.pts, frame.time_base)
    assert Colour.of(pasted) == Colour.of(frame)


# What a generator does to a face: its own colours, contrast and softness. The portrait is the sample's.


def portrait(width=640, height=480, darkness=1.0):
    """A frame that shows the sample's portrait, and its face."""
    picture = cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB)[0:384, 0:512]
    toned = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC) * darkness
    frame = av.VideoFrame.from_ndarray(np.rint(toned).astype(np.uint8), "rgb24").reformat(format="yuv420p")
    return frame, face_at(224 * width / 512, 114 * height / 384, 96 * width / 512)


def generated(crop):
    """The crop as a generator gives it back: warmer, flatter, softer."""
    soft = cv2.GaussianBlur(crop, (0, 0), 1.0).astype(float)
    return np.clip(np.rint(soft * (1.1, 0.95, 0.85) + (6, 5, -3)), 0, 255).astype(np.uint8)


def seam(frame, pasted, patch, profile):
    """Steepest change of what was added to each plane along the region's border, texture left out; levels a pixel."""
    mouth = patch.region.part(profile.mouth_region)
    steepest = 0.0
    for before, after, region in zip(
        planes_of(frame), planes_of(pasted), (mouth, mouth.on_chroma(), mouth.on_chroma()), strict=True
    ):
        added = cv2.GaussianBlur(after.astype(float) - before, (0, 0), region.width / 20)
        steepest = max(steepest, *(np.abs(np.diff(added, axis=axis)).max() for axis in (0, 1)))
    return steepest


@pytest.mark.parametrize("darkness", [1.0, 0.35], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(640, 480), (1280, 960)], ids=["150 px", "300 px"])
def test_a_generated_mouth_leaves_no_box(size, darkness, monkeypatch):
    frame, face = portrait(*size, darkness)
    profile = make_profile(96, "replace", margins=(0, 0, 0, 0.15), mouth=(0.05, 0.5, 0.95, 1.0))
    patch = patch_of(frame, face, profile, generated)
    matched = seam(frame, paste(frame, patch, profile), patch, profile)
    monkeypatch.setattr(compositor, "colour_match", lambda *_: Match(np.ones(3), np.zeros(3)))
    assert matched < 0.5 * seam(frame, paste(frame, patch, profile), patch, profile)


def test_skin_that_the_generator_left_alone_keeps_its_grain():
    frame, face = portrait(1280, 960)
    grain = np.random.default_rng(5).normal(0, 4, (960, 1280))
    luma = planes_of(frame).luma
    luma[:] = np.clip(luma + grain, 16, 235)
    profile = make_profile(96, "replace", margins=(0, 0, 0, 0.15), mouth=(0.05, 0.5, 0.95, 1.0))
    pasted = planes_of(paste(frame, patch_of(frame, face, profile, generated), profile)).luma
    square = face_region(face, profile.crop_margins)
    chin = pixels_inside(square.part((0.4, 0.84, 0.6, 0.93)), 1280, 960)

    def sharpness(picture):
        return np.abs(cv2.Laplacian(picture[chin.slices].astype(float), cv2.CV_64F)).mean()

    assert sharpness(pasted) > 0.9 * sharpness(luma)


def test_what_moved_is_the_engines_own_picture():
    frame, face = portrait(1280, 960)
    profile = make_profile(96, "replace", margins=(0, 0, 0, 0.15), mouth=(0.05, 0.5, 0.95, 1.0))
    patch = patch_of(frame, face, profile, lambda crop: dyed(crop, (150, 40, 50)))
    seen = cut_crop(paste(frame, patch, profile), patch.region.part((0.42, 0.68, 0.58, 0.78)), 9)
    assert np.abs(seen.astype(int) - (150, 40, 50)).max() <= 4


def test_a_tiny_face_and_one_at_the_edge_are_pasted_without_harm():
    frame, _ = portrait(320, 241)
    before = plane_copies(frame)
    profile = make_profile(96, "replace", margins=(0, 0, 0, 0.15), mouth=(0.0, 0.5, 1.0, 1.0))
    for face in (face_at(140, 70, 9), face_at(2, 70, 60), face_at(319, 235, 60), face_at(160, 120, 900)):
        pasted = paste(frame, patch_of(frame, face, profile, generated), profile)
        changes = [np.abs(a.astype(int) - b).max() for a, b in zip(plane_copies(pasted), before, strict=True)]
        assert max(changes) < 120
