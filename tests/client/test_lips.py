from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from client.contracts import MelSpec
from client.errors import ContractViolation, EngineTimeout
from client.triton import TritonLips

pytestmark = pytest.mark.triton

SMALL, LARGE, SLOW = 1.0, 2.0, 3.0


@pytest.fixture(params=["grpc", "shared_memory"])
def lips(connection, request) -> TritonLips:
    return TritonLips(connection, "lips_plain", timeout_s=20, transport=request.param)


def crops(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8)


def mels(count: int, mood: float = 0.0) -> np.ndarray:
    return np.full((count, 80, 16), mood, np.float32)


def test_the_profile_is_what_the_config_states(lips):
    assert lips.profile.face_size_px == 64
    assert lips.profile.mel == MelSpec(fmax_hz=7000)
    assert lips.profile.mouth_region == (0.2, 0.5, 0.8, 1.0)
    assert (lips.profile.blend, lips.profile.max_batch_size) == ("replace", 4)


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_any_number_of_crops_comes_back_in_order(lips, count):
    faces = crops(count)

    np.testing.assert_array_equal(lips.move(faces, mels(count)), 255 - faces)


def test_threads_do_not_mix_their_pictures(lips):
    def moved_right(seed: int) -> bool:
        faces = crops(4, seed)
        return bool((lips.move(faces, mels(4)) == 255 - faces).all())

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(moved_right, range(48)))


@pytest.mark.parametrize("mood", [SMALL, LARGE])
def test_crops_of_another_size_break_the_contract(lips, mood):
    with pytest.raises(ContractViolation, match="FACES"):
        lips.move(crops(2), mels(2, mood))


def test_a_late_answer_never_lands_in_a_later_call(connection, lips):
    impatient = TritonLips(connection, "lips_plain", timeout_s=0.2, transport=lips._transport)
    with pytest.raises(EngineTimeout):
        impatient.move(crops(4, seed=1), mels(4, SLOW))

    for seed in range(2, 12):
        faces = crops(4, seed)
        np.testing.assert_array_equal(lips.move(faces, mels(4)), 255 - faces)


@pytest.mark.parametrize(
    ("faces", "mel"), [(np.zeros((1, 96, 96, 3), np.uint8), mels(1)), (crops(2), mels(1)), (crops(1), mels(1)[:, :40])]
)
def test_inputs_that_do_not_fit_the_profile_never_leave(lips, faces, mel):
    with pytest.raises(ValueError, match="must be"):
        lips.move(faces, mel)
