"""The contract of the lips task, against the real server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from client.contracts import MelSpec, UInt8Array
from client.errors import EngineRefused
from client.triton import TritonConnection, TritonLips
from deploy.triton.embedded import EmbeddedTriton
from tests.model_repository.lips_warp import lips_warp_cases as cases

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def lips(triton_server: EmbeddedTriton) -> Iterator[TritonLips]:
    with TritonConnection(triton_server.grpc_url, control_timeout_s=10) as connection:
        yield TritonLips(connection, "lips_warp", timeout_s=60)


def test_the_profile_states_everything_that_a_caller_needs(lips: TritonLips) -> None:
    profile = lips.profile
    assert profile.face_size_px == 256
    assert profile.mel == MelSpec()
    assert profile.blend == "residual"
    assert profile.max_batch_size == 32
    assert profile.crop_margins == tuple(map(float, cases.parameters()["crop_margins"].split()))
    assert profile.mouth_region == cases.settings().mouth_region


def test_every_field_of_the_mel_is_stated_not_assumed(lips: TritonLips) -> None:
    stated = {name.removeprefix("mel_") for name in lips.config.parameters if name.startswith("mel_")}
    assert stated == set(MelSpec.__dataclass_fields__)


def test_speech_opens_a_shut_mouth_and_silence_leaves_it_alone(lips: TritonLips) -> None:
    face = cases.Drawn().picture()
    faces = np.stack([face, face])
    spoken, silent = lips.move(faces, np.stack([cases.window(cases.ah()), cases.silence()]))
    assert np.array_equal(silent, face)
    assert np.abs(spoken.astype(int) - face).max() > 60


def test_more_crops_than_a_batch_holds_are_served(lips: TritonLips) -> None:
    faces = np.repeat(cases.portrait()[None], 40, axis=0)
    moved = lips.move(faces, np.repeat(cases.window(cases.ah())[None], 40, axis=0))
    assert all(np.array_equal(moved[0], one) for one in moved)


def test_a_refused_request_leaves_its_neighbours_in_the_merged_batch_alone(lips: TritonLips) -> None:
    face, mel = cases.portrait()[None], cases.window(cases.ah())[None]
    broken = mel.copy()
    broken[0, 0, 0] = np.nan
    expected = lips.move(face, mel)

    def ask(number: int) -> UInt8Array | str:
        try:
            return lips.move(face, broken if number % 3 == 0 else mel)
        except EngineRefused as error:
            return error.detail

    with ThreadPoolExecutor(12) as callers:
        answers = list(callers.map(ask, range(24)))
    for number, answer in enumerate(answers):
        if number % 3 == 0:
            assert isinstance(answer, str)
            assert "NaN" in answer
        else:
            assert np.array_equal(answer, expected)


@pytest.mark.parametrize("shape", [(1, 128, 128, 3), (1, 256, 128, 3)], ids=str)
def test_crops_of_another_shape_are_refused(lips: TritonLips, shape: tuple[int, ...]) -> None:
    from tritonclient.grpc import InferenceServerClient, InferInput
    from tritonclient.utils import InferenceServerException

    inputs = [InferInput("FACES", list(shape), "UINT8"), InferInput("MEL", [1, 80, 16], "FP32")]
    inputs[0].set_data_from_numpy(np.zeros(shape, np.uint8))
    inputs[1].set_data_from_numpy(cases.silence()[None])
    with (
        InferenceServerClient(lips._connection.grpc_url) as raw,
        pytest.raises(InferenceServerException, match="FACES must be crops") as refusal,
    ):
        raw.infer("lips_warp", inputs, client_timeout=30)
    assert "INVALID_ARGUMENT" in str(refusal.value.status())
