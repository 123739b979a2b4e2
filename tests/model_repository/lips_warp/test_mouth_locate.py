"""Finding the mouth: on drawn faces whose mouth is known, and on the portrait."""

import cv2
import numpy as np
import pytest
from mouth_locate import MouthLocator
from mouth_model import MouthFrame

from client.contracts import UInt8Array
from tests.model_repository.lips_warp.lips_warp_cases import (
    DARK,
    FAIR,
    SIZE_PX,
    Drawn,
    darkened,
    dimmed,
    portrait,
)

LOCATOR = MouthLocator()
ONE_PX = 1.0 / SIZE_PX


def shifted(face: UInt8Array, right_px: float, down_px: float) -> UInt8Array:
    matrix = np.array([[1.0, 0.0, right_px], [0.0, 1.0, down_px]])
    return cv2.warpAffine(face, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("skin", [FAIR, DARK])
@pytest.mark.parametrize(
    "face",
    [(0.50, 0.575, 0.0), (0.47, 0.56, 0.0), (0.53, 0.60, 0.0), (0.50, 0.575, 8.0), (0.49, 0.57, -8.0)],
    ids=str,
)
def test_a_drawn_mouth_is_found(face: tuple[float, float, float], skin: tuple[int, int, int]) -> None:
    x, y, tilt_deg = face
    found = LOCATOR.locate(Drawn(skin, x, y, tilt_deg).picture())
    assert abs(found.x - x) < 6 * ONE_PX
    assert abs(found.y - y) < 7 * ONE_PX
    assert abs(np.rad2deg(found.angle_rad) - tilt_deg) < 5.0
    assert 0.11 < found.half_width < 0.19


def test_a_beard_does_not_draw_the_mouth_away() -> None:
    found = LOCATOR.locate(Drawn(beard=True).picture())
    assert abs(found.x - 0.5) < 6 * ONE_PX
    assert abs(found.y - 0.575) < 8 * ONE_PX


@pytest.mark.parametrize("change", [lambda face: face, darkened, dimmed], ids=["fair", "dark", "dim"])
def test_the_portraits_mouth_is_found_in_any_light(change) -> None:
    found = LOCATOR.locate(change(portrait()))
    # its corners, marked by hand, lie at (94, 136) and (172, 138)
    assert abs(found.x * SIZE_PX - 133) < 6
    assert abs(found.y * SIZE_PX - 137) < 8
    assert abs(found.half_width * SIZE_PX - 39) < 6


def test_the_mouth_moves_smoothly_with_the_face() -> None:
    def wander(step: int) -> tuple[float, float]:
        return 6.0 * np.sin(step / 4.0), 4.0 * np.cos(step / 5.0)

    found = [LOCATOR.locate(shifted(portrait(), *wander(step))) for step in range(24)]
    errors_px = np.array(
        [(frame.x * SIZE_PX - wander(step)[0], frame.y * SIZE_PX - wander(step)[1]) for step, frame in enumerate(found)]
    )
    # between two frames, while the face moves up to 1.8 px in its crop; the mouth is 78 px wide
    across, down = np.abs(np.diff(errors_px, axis=0)).max(axis=0)
    assert across < 2.5
    assert down < 0.6


def test_a_noisy_still_face_keeps_its_mouth_within_a_third_of_a_pixel() -> None:
    found = [LOCATOR.locate(noisy(portrait(), seed)) for seed in range(12)]
    spread_px = np.std([position(frame) for frame in found], axis=0) * SIZE_PX
    assert spread_px.max() < 0.34


def test_a_crop_without_any_face_still_gives_a_mouth_where_mouths_lie() -> None:
    found = LOCATOR.locate(np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8))
    assert abs(found.x - 0.5) < 0.02
    assert 0.5 < found.y < 0.65


def noisy(face: UInt8Array, seed: int) -> UInt8Array:
    noise = np.random.default_rng(seed).normal(0.0, 3.0, face.shape)
    return np.clip(np.rint(face + noise), 0, 255).astype(np.uint8)


def position(frame: MouthFrame) -> tuple[float, float]:
    return frame.x, frame.y
