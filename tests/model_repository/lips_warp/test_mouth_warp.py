"""Bending the picture."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mouth_locate import MouthLocator
from mouth_model import Mouth
from mouth_read import read_mouth
from mouth_speech import SHUT, SpokenMouth
from mouth_warp import warp_mouth

from client.contracts import UInt8Array
from tests.model_repository.lips_warp import lips_warp_cases as cases

REGION = cases.settings().mouth_region
LOCATOR = MouthLocator()
FACES = {
    "portrait": cases.portrait(),
    "dark portrait": cases.darkened(cases.portrait()),
    "drawn": cases.Drawn().picture(),
    "drawn dark": cases.Drawn(cases.DARK).picture(),
    "bearded": cases.Drawn(beard=True).picture(),
}
MOUTHS: dict[str, Mouth] = {name: read_mouth(face, LOCATOR.locate(face)) for name, face in FACES.items()}


def opened(name: str, opening: float, width: float = 1.0) -> UInt8Array:
    return warp_mouth(FACES[name], MOUTHS[name], SpokenMouth(opening, width), REGION)


def luma(face: UInt8Array) -> np.ndarray:
    return face @ np.array([0.299, 0.587, 0.114])


def dark_pixels(name: str, face: UInt8Array) -> int:
    """Pixels near the mouth far darker than the face was there."""
    frame = MOUTHS[name].frame
    rows = slice(int((frame.y - frame.half_width) * 256), int((frame.y + 1.4 * frame.half_width) * 256))
    columns = slice(int((frame.x - frame.half_width) * 256), int((frame.x + frame.half_width) * 256))
    lips = np.percentile(luma(FACES[name])[rows, columns], 10)
    return int((luma(face)[rows, columns] < 0.7 * lips).sum())


@pytest.mark.parametrize("name", ["drawn", "drawn dark", "bearded"])
def test_shut_lips_stay_bit_for_bit_when_nothing_is_said(name: str) -> None:
    assert np.array_equal(warp_mouth(FACES[name], MOUTHS[name], SHUT, REGION), FACES[name])


@given(
    name=st.sampled_from(sorted(FACES)),
    opening=st.floats(0.0, 1.0),
    width=st.floats(0.85, 1.06),
    edge=st.floats(0, 0.2),
)
@settings(max_examples=40, deadline=None)
def test_nothing_outside_the_region_changes(name: str, opening: float, width: float, edge: float) -> None:
    region = (REGION[0] + edge, REGION[1] + edge, REGION[2] - edge, REGION[3] - edge)
    answer = warp_mouth(FACES[name], MOUTHS[name], SpokenMouth(opening, width), region)
    left, top, right, bottom = (round(side * cases.SIZE_PX) for side in region)
    outside = np.ones(answer.shape[:2], bool)
    outside[top:bottom, left:right] = False
    assert np.array_equal(answer[outside], FACES[name][outside])


@pytest.mark.parametrize("name", sorted(FACES))
def test_the_change_dies_away_before_the_regions_border(name: str) -> None:
    change = np.abs(opened(name, 0.5).astype(int) - FACES[name]).max(axis=2)
    left, top, right, bottom = (round(side * cases.SIZE_PX) for side in REGION)
    border = np.concatenate(
        [
            change[top, left:right],
            change[bottom - 1, left:right],
            change[top:bottom, left],
            change[top:bottom, right - 1],
        ]
    )
    assert border.max() <= 1


@pytest.mark.parametrize("name", ["drawn", "drawn dark", "bearded"])
def test_the_wider_the_opening_the_larger_the_dark_of_the_mouth(name: str) -> None:
    dark = [dark_pixels(name, opened(name, opening)) for opening in (0.0, 0.15, 0.3, 0.45)]
    assert dark == sorted(dark)
    assert dark[-1] > dark[0] + 150


@pytest.mark.parametrize("name", ["portrait", "dark portrait"])
def test_a_smile_read_again_is_as_far_open_as_it_was_told(name: str) -> None:
    answers = [opened(name, opening) for opening in (0.0, 0.1, 0.2)]
    apertures = [read_mouth(answer, LOCATOR.locate(answer)).aperture for answer in answers]
    assert apertures == pytest.approx([0.0, 0.1, 0.2], abs=0.07)
    assert apertures == sorted(apertures)


@pytest.mark.parametrize("name", sorted(FACES))
@pytest.mark.parametrize("opening", [0.0, 0.2, 0.45])
def test_skin_and_beard_below_the_mouth_keep_their_colour(name: str, opening: float) -> None:
    frame, answer = MOUTHS[name].frame, opened(name, opening)
    below = slice(int((frame.y + 0.95 * frame.half_width) * 256), int((frame.y + 1.4 * frame.half_width) * 256))
    columns = slice(int((frame.x - 0.8 * frame.half_width) * 256), int((frame.x + 0.8 * frame.half_width) * 256))
    before = FACES[name][below, columns].reshape(-1, 3).mean(axis=0)
    after = answer[below, columns].reshape(-1, 3).mean(axis=0)
    assert np.abs(after / before - 1.0).max() < 0.06


@pytest.mark.parametrize("name", sorted(FACES))
def test_a_little_more_sound_changes_the_picture_little(name: str) -> None:
    """No jump on the way from shut to wide open: neither where teeth appear nor where opening becomes shutting."""
    answers = [opened(name, opening).astype(np.float64) for opening in np.linspace(0.0, 0.5, 51)]
    steps = [np.abs(later - sooner).mean() for sooner, later in pairwise(answers)]
    assert max(steps) < 0.35  # grey levels, over the whole crop


def test_the_inside_takes_the_light_of_the_picture() -> None:
    fair, dark = opened("drawn", 0.45), opened("drawn dark", 0.45)
    row, column = int((MOUTHS["drawn"].frame.y + 0.03) * 256), 128
    assert luma(dark)[row, column] < luma(fair)[row, column]


def test_rounding_draws_the_corners_in() -> None:
    wide, narrow = opened("drawn", 0.3, 1.05), opened("drawn", 0.3, 0.86)

    def width_px(face: UInt8Array) -> int:
        lips = luma(face)[120:170, 60:196] < 0.8 * luma(FACES["drawn"])[200, 128]
        return int(np.ptp(np.flatnonzero(lips.any(axis=0))))

    assert width_px(narrow) < width_px(wide) - 4
