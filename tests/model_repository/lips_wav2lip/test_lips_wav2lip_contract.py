"""lips_wav2lip in a private embedded Triton, with random weights of reduced width, through the project's client."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from client.connection import TritonConnection
from client.contracts import Float32Array, MelSpec, UInt8Array
from client.errors import EngineRefused
from client.lips import TritonLips
from client.mel import mel_windows
from client.repository import ModelRepository
from client.tensors import unary_inputs
from deploy.errors import TritonStartFailed
from deploy.triton.embedded import EmbeddedTriton
from export.checkpoint import read_checkpoint
from export.wav2lip.family import FAMILY
from tests.killed_servers import serving
from tests.served_wav2lip import MODEL, add_version, empty_repository
from tests.waiting import eventually

pytestmark = pytest.mark.triton

Crops = tuple[UInt8Array, Float32Array]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_repository(tmp_path_factory.mktemp("wav2lip"))


@pytest.fixture(scope="module")
def first(repository: Path) -> nn.Module:
    """The original network of version 1."""
    return original(add_version(repository, seed=1, version=1)[0])


@pytest.fixture(scope="module")
def server(repository: Path, first: nn.Module) -> Iterator[EmbeddedTriton]:
    with serving([MODEL], repository=repository, run_dir=repository.parent / "run") as started:
        yield started


@pytest.fixture(scope="module")
def connection(server: EmbeddedTriton) -> Iterator[TritonConnection]:
    with TritonConnection(server.grpc_url, control_timeout_s=30.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def lips(connection: TritonConnection) -> TritonLips:
    return TritonLips(connection, MODEL, timeout_s=60.0)


def original(checkpoint: Path) -> nn.Module:
    return FAMILY.load(read_checkpoint(checkpoint).state)


def crops(count: int, seed: int = 5) -> Crops:
    drawn = FAMILY.samples(np.random.default_rng(seed), count)
    return drawn["FACES"], drawn["MEL"]


def expected(network: nn.Module, faces: UInt8Array, mels: Float32Array) -> UInt8Array:
    return FAMILY.reference(network, {"FACES": faces, "MEL": mels})["MOVED"]


def differs(one: UInt8Array, other: UInt8Array) -> int:
    """The greatest difference of any pixel."""
    return int(np.abs(one.astype(int) - other).max())


def ask(connection: TritonConnection, faces: np.ndarray, mels: np.ndarray) -> np.ndarray:
    result = connection.infer(MODEL, unary_inputs({"FACES": faces, "MEL": mels}), timeout_s=60.0)
    return result.as_numpy("MOVED")


def test_the_profile_states_what_the_published_weights_need(lips: TritonLips) -> None:
    profile = lips.profile
    assert profile.face_size_px == 96
    assert profile.mel == MelSpec()
    assert profile.mouth_region == (0.0, 0.5, 1.0, 1.0)
    assert profile.blend == "replace"
    stated = {name.removeprefix("mel_") for name in lips.config.parameters if name.startswith("mel_")}
    assert stated == set(MelSpec.__dataclass_fields__)  # nothing is left to a default


def test_the_faces_are_those_of_the_original_network(lips: TritonLips, first: nn.Module) -> None:
    faces, mels = crops(6)
    assert differs(lips.move(faces, mels), expected(first, faces, mels)) <= 1


def test_more_crops_than_a_batch_holds_are_served_in_order(lips: TritonLips, first: nn.Module) -> None:
    faces, mels = crops(lips.profile.max_batch_size + 3)
    assert differs(lips.move(faces, mels), expected(first, faces, mels)) <= 1


def test_silence_gives_a_face_like_any_other_sound(lips: TritonLips, first: nn.Module) -> None:
    faces, _ = crops(2)
    silence = mel_windows(np.zeros(16_000, np.float32), lips.profile.mel, [0.1, 0.5])
    reference = FAMILY.reference(first, {"FACES": faces, "MEL": silence})
    assert np.isfinite(reference["MOVED_FLOAT"]).all()
    assert differs(lips.move(faces, silence), reference["MOVED"]) <= 1


def test_requests_of_two_clients_are_merged_and_each_gets_its_own(
    server: EmbeddedTriton, connection: TritonConnection, first: nn.Module
) -> None:
    before = connection.statistics(MODEL)
    tasks = [crops(1 + seed % 3, seed) for seed in range(40)]
    with TritonConnection(server.grpc_url, control_timeout_s=30.0) as other, ThreadPoolExecutor(8) as pool:
        clients = [connection, other]
        answers = list(pool.map(lambda index: ask(clients[index % 2], *tasks[index]), range(len(tasks))))
    eventually(lambda: (connection.statistics(MODEL) - before).requests >= len(tasks))  # counted after the answer
    seen = connection.statistics(MODEL) - before
    assert [len(answer) for answer in answers] == [len(faces) for faces, _ in tasks]
    faces, mels = (np.concatenate(arrays) for arrays in zip(*tasks, strict=True))
    assert differs(np.concatenate(answers), expected(first, faces, mels)) <= 1
    assert seen.requests == len(tasks)
    assert seen.items == sum(len(faces) for faces, _ in tasks)
    assert seen.runs < len(tasks)
    assert max(seen.batch_runs) > 3  # larger than any request


@pytest.mark.parametrize(
    ("faces", "mels", "reason"),
    [
        (np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 80, 16), np.float32), r"unexpected shape.*FACES"),
        (np.zeros((1, 96, 96, 3), np.uint8), np.zeros((1, 80, 15), np.float32), r"unexpected shape.*MEL"),
        (np.zeros((1, 96, 96, 3), np.float32), np.zeros((1, 80, 16), np.float32), "FACES.*data-type is .FP32"),
        (np.zeros((1, 96, 96, 3), np.uint8), np.zeros((1, 80, 16), np.float64), "MEL.*data-type is .FP64"),
        (np.zeros((99, 96, 96, 3), np.uint8), np.zeros((99, 80, 16), np.float32), "batch-size"),
        (np.zeros((1, 96, 96, 3), np.uint8), np.full((1, 80, 16), np.nan, np.float32), "MEL holds NaN or infinity"),
        (np.zeros((1, 96, 96, 3), np.uint8), np.full((1, 80, 16), np.inf, np.float32), "MEL holds NaN or infinity"),
    ],
    ids=["face size", "mel steps", "face type", "mel type", "batch", "NaN", "infinity"],
)
def test_a_wrong_request_is_refused_and_its_neighbours_are_served(
    connection: TritonConnection, first: nn.Module, faces: np.ndarray, mels: np.ndarray, reason: str
) -> None:
    good = crops(1)

    def call(index: int) -> UInt8Array | EngineRefused:
        try:
            return ask(connection, *((faces, mels) if index == 2 else good))
        except EngineRefused as error:
            return error

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(call, range(6)))
    refused = answers.pop(2)
    assert isinstance(refused, EngineRefused)
    with pytest.raises(EngineRefused, match=reason):
        raise refused
    reference = expected(first, *good)
    assert all(not isinstance(each, EngineRefused) and differs(each, reference) <= 1 for each in answers)


def test_a_swap_to_a_new_version_fails_no_request(
    repository: Path, connection: TritonConnection, lips: TritonLips, first: nn.Module
) -> None:
    faces, mels = crops(2)
    second = original(add_version(repository, seed=2, version=2)[0])
    old, new = expected(first, faces, mels), expected(second, faces, mels)
    assert differs(old, new) > 20
    answers: list[UInt8Array] = []
    swapped = threading.Event()

    def hammer() -> None:
        for _ in range(5000):
            answers.append(lips.move(faces, mels))
            if swapped.is_set():
                return

    with ThreadPoolExecutor(2) as pool:
        clients = [pool.submit(hammer) for _ in range(2)]
        ModelRepository(connection).load(MODEL)
        swapped.set()
        for client in clients:
            client.result()  # raises what a request raised
    assert all(min(differs(answer, old), differs(answer, new)) <= 1 for answer in answers)
    assert differs(lips.move(faces, mels), new) <= 1


def test_without_a_version_the_start_says_which_command_makes_one(tmp_path: Path) -> None:
    server = EmbeddedTriton([MODEL], repository=empty_repository(tmp_path), run_dir=tmp_path / "run")
    with pytest.raises(TritonStartFailed, match=r"lips_wav2lip has no version: run `polylip models export wav2lip"):
        server.start()
