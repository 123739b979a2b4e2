"""Reading how a mouth is held."""

import numpy as np
import pytest
from mouth_locate import MouthLocator
from mouth_model import Mouth
from mouth_read import read_mouth
from mouth_speech import SHUT
from mouth_warp import warp_mouth

from client.contracts import UInt8Array
from tests.model_repository.lips_warp.lips_warp_cases import (
    DARK,
    FAIR,
    SIZE_PX,
    Drawn,
    darkened,
    dimmed,
    portrait,
    settings,
)

LOCATOR = MouthLocator()


def read(face: UInt8Array) -> Mouth:
    return read_mouth(face, LOCATOR.locate(face))


def cut_px(mouth: Mouth) -> float:
    """Row of the cut in the middle of the mouth."""
    return (mouth.frame.y + mouth.cut * mouth.frame.half_width) * SIZE_PX


@pytest.mark.parametrize("skin", [FAIR, DARK])
@pytest.mark.parametrize("beard", [False, True])
def test_drawn_lips_that_meet_are_shut_and_part_on_their_line(skin: tuple[int, int, int], beard: bool) -> None:
    mouth = read(Drawn(skin, beard=beard).picture())
    assert mouth.aperture == 0.0
    assert mouth.teeth == 0.0
    assert abs(cut_px(mouth) - 0.575 * SIZE_PX) < 2.0


@pytest.mark.parametrize("skin", [FAIR, DARK])
def test_the_wider_a_drawn_gap_the_larger_the_aperture(skin: tuple[int, int, int]) -> None:
    apertures = [read(Drawn(skin, gap=gap).picture()).aperture for gap in (0.0, 0.03, 0.05, 0.08)]
    assert apertures == sorted(apertures)
    assert apertures[-1] > 0.25


@pytest.mark.parametrize("change", [lambda face: face, darkened, dimmed], ids=["fair", "dark", "dim"])
def test_a_smile_with_teeth_parts_below_the_teeth_in_any_light(change) -> None:
    mouth = read(change(portrait()))
    assert mouth.teeth > 0.9
    assert 0.15 < mouth.aperture < 0.35
    assert abs(cut_px(mouth) - 157) < 3  # the teeth's lower edge, marked by hand


def test_a_smile_that_was_shut_reads_as_shut() -> None:
    shut = warp_mouth(portrait(), read(portrait()), SHUT, settings().mouth_region)
    assert read(shut).aperture < 0.05


def test_noise_does_not_shake_the_cut() -> None:
    cuts = [cut_px(read(dimmed(portrait(), seed))) for seed in range(12)]
    assert np.std(cuts) < 0.7
