"""The engine's arithmetic for whole batches."""

import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest
from lips_settings import LipsSettings
from lips_warp import LipsWarp

from tests.model_repository.lips_warp import lips_warp_cases as cases

LIPS = LipsWarp(cases.settings())
FACES = np.stack(
    [cases.portrait(), cases.darkened(cases.portrait()), cases.Drawn(cases.DARK).picture(), cases.Drawn().picture()]
)
MELS = np.stack([cases.window(cases.ah()), cases.window(cases.ah(0.1)), cases.silence(), cases.window(cases.ah())])


def test_a_batch_gives_what_its_crops_give_one_by_one() -> None:
    singles = [LIPS.move(FACES[i : i + 1], MELS[i : i + 1])[0] for i in range(len(FACES))]
    assert np.array_equal(LIPS.move(FACES, MELS), np.stack(singles))


def test_the_input_is_left_as_it_was() -> None:
    faces = FACES.copy()
    faces.setflags(write=False)
    assert LIPS.move(faces, MELS).shape == faces.shape


def test_a_shut_mouth_and_silence_give_the_crop_back_bit_for_bit() -> None:
    assert np.array_equal(LIPS.move(FACES[2:3], MELS[2:3]), FACES[2:3])


def test_crops_without_a_face_pass() -> None:
    blank = np.stack([np.full((256, 256, 3), level, np.uint8) for level in (0, 127, 255)])
    assert LIPS.move(blank, np.zeros((3, 80, 16), np.float32)).shape == blank.shape


def test_noise_passes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    mels = np.random.default_rng(1).uniform(-4.0, 4.0, (2, 80, 16)).astype(np.float32)
    assert LIPS.move(noise, mels).dtype == np.uint8


def test_no_crops_give_no_crops() -> None:
    assert LIPS.move(FACES[:0], MELS[:0]).shape == (0, 256, 256, 3)


@pytest.mark.parametrize("shape", [(1, 96, 96, 3), (1, 256, 255, 3), (1, 255, 256, 3), (1, 0, 0, 3)], ids=str)
def test_another_size_is_refused_and_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest, match=rf"\[256, 256, 3\], got \[{shape[1]}, {shape[2]}, 3\]"):
        LIPS.move(np.zeros(shape, np.uint8), MELS[:1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_mel_with_nan_or_infinity_is_refused(value: float) -> None:
    mels = MELS[:1].copy()
    mels[0, 3, 5] = value
    with pytest.raises(InvalidRequest, match="MEL"):
        LIPS.move(FACES[:1], mels)


def test_crops_and_windows_must_be_as_many() -> None:
    with pytest.raises(InvalidRequest, match="2 FACES cannot speak 1 MEL"):
        LIPS.move(FACES[:2], MELS[:1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mouth_region", "0.5 0.4 0.2 1"),
        ("mouth_region", "0 0 0.01 0.01"),
        ("mouth_region", "0 0 1"),
        ("mel_steps", "x"),
    ],
)
def test_a_wrong_config_stops_the_load(name: str, value: str) -> None:
    with pytest.raises(ValueError):
        LipsSettings.from_parameters({**cases.parameters(), name: value})


@pytest.mark.parametrize("name", ["face_size_px", "mouth_region", "mel_n_mels", "mel_fmax_hz"])
def test_a_missing_parameter_stops_the_load(name: str) -> None:
    stated = cases.parameters()
    del stated[name]
    with pytest.raises(KeyError, match=name):
        LipsSettings.from_parameters(stated)
