"""faces_s3fd in a private embedded Triton, with checkpoints of reduced width, through the project's client."""

import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from client.connection import TritonConnection
from client.errors import EngineRefused
from client.faces import TritonFaces
from client.tensors import unary_inputs
from deploy.triton.embedded import EmbeddedTriton
from export.s3fd.family import FAMILY
from tests.model_repository.faces_s3fd.lamp_detector import lamp_state
from tests.served_s3fd import serve_s3fd

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def lamp(tmp_path_factory):
    with (
        serve_s3fd(lamp_state(), tmp_path_factory.mktemp("lamp")) as server,
        TritonConnection(server.grpc_url, control_timeout_s=30.0) as connection,
    ):
        yield server, connection


@pytest.fixture(scope="module")
def faces(lamp):
    return TritonFaces(lamp[1], "faces_s3fd", timeout_s=60.0)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    with (
        serve_s3fd(FAMILY.synth(1, FAMILY.reduced_width), tmp_path_factory.mktemp("noisy")) as server,
        TritonConnection(server.grpc_url, control_timeout_s=30.0) as connection,
    ):
        yield TritonFaces(connection, "faces_s3fd", timeout_s=60.0)


def frame(*cells: tuple[int, int], height: int = 192, width: int = 341, colour: int = 0) -> np.ndarray:
    """Black but for blocks of 32 px in these rows and columns of a grid; `colour`: 0 red, 2 blue."""
    picture = np.zeros((height, width, 3), np.uint8)
    for row, column in cells:
        picture[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32, colour] = 255
    return picture


def box(row: int, column: int) -> list[float]:
    """128 px wide around the block."""
    return [column * 32 - 48, row * 32 - 48, column * 32 + 80, row * 32 + 80]


def call(connection: TritonConnection, frames: np.ndarray) -> np.ndarray:
    result = connection.infer("faces_s3fd", unary_inputs({"FRAMES": frames}), timeout_s=60.0)
    return result.as_numpy("BOXES")


def test_the_engine_states_its_short_side(faces):
    assert faces.short_side_px == 192


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 4), (5, 9)])
def test_a_spot_is_found_where_it_is(faces, row, column):
    (found,) = faces.detect(frame((row, column))[np.newaxis])
    assert found[:, :4].tolist() == [pytest.approx(box(row, column), abs=0.01)]
    assert found[0, 4] == pytest.approx(1 / (1 + np.exp(-6.6)), abs=1e-4)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (48, 64), (100, 333), (341, 192), (720, 1280)])
def test_frames_of_any_size_are_served_with_boxes_in_their_own_pixels(faces, height, width):
    (found,) = faces.detect(frame((0, 0), height=height, width=width)[np.newaxis])
    assert found[:, :4].tolist() == [pytest.approx(box(0, 0), abs=0.01)]


def test_the_frames_are_read_as_rgb(faces):
    (found,) = faces.detect(frame((1, 1), colour=2)[np.newaxis])
    assert len(found) == 0


def test_frames_of_a_batch_keep_their_own_faces_and_more_than_one_call_holds_are_split(faces):
    frames = [frame((2, 2)), frame(), frame((1, 1), (1, 9)), frame((5, 5)), frame((0, 3)), frame()]
    found = faces.detect(np.stack(frames))
    assert [len(boxes) for boxes in found] == [1, 0, 2, 1, 1, 0]
    assert found[0][0, :4].tolist() == pytest.approx(box(2, 2), abs=0.01)
    assert sorted(boxes[0] for boxes in found[2].tolist()) == pytest.approx([box(1, 1)[0], box(1, 9)[0]], abs=0.01)


def test_two_spots_side_by_side_are_one_face_and_apart_are_two(faces):
    """Boxes that are 32 px apart overlap by 0.6, more than the published 0.3; 96 px apart by 0.14."""
    near, apart = faces.detect(np.stack([frame((2, 2), (2, 3)), frame((2, 2), (2, 5))]))
    assert (len(near), len(apart)) == (1, 2)


def test_a_batch_is_its_frames_alone(noisy):
    frames = FAMILY.samples(np.random.default_rng(0), 4)["FRAMES"]
    together = noisy.detect(frames)
    assert any(len(boxes) for boxes in together)
    for boxes, one in zip(together, frames, strict=True):
        (alone,) = noisy.detect(one[np.newaxis])
        np.testing.assert_allclose(boxes, alone, atol=0.01)


def runs(server: EmbeddedTriton) -> tuple[int, int]:
    """How often the network ran, and on how many frames."""
    with urllib.request.urlopen(server.metrics_url, timeout=10) as answer:
        text = answer.read().decode()
    counts = [
        re.search(rf'^nv_inference_{name}{{model="s3fd",version="1"}} (\d+)', text, re.MULTILINE)
        for name in ("exec_count", "count")
    ]
    return int(counts[0][1]), int(counts[1][1])


def test_callers_with_frames_of_one_size_share_runs_and_get_their_own_answers(lamp):
    server, connection = lamp
    cells = [(row, column) for row in range(4) for column in range(4)]
    for _ in range(20):  # merging needs callers that meet; once is enough
        barrier = Barrier(len(cells))

        def ask(cell: tuple[int, int], barrier: Barrier = barrier) -> np.ndarray:
            barrier.wait()
            return call(connection, frame(cell, height=160, width=160)[np.newaxis])

        before = runs(server)
        with ThreadPoolExecutor(len(cells)) as pool:
            answers = list(pool.map(ask, cells))
        for cell, answer in zip(cells, answers, strict=True):
            assert answer[0, 0, :4].tolist() == pytest.approx(box(*cell), abs=0.01)
        executions, frames = np.subtract(runs(server), before)
        assert frames == len(cells)
        if executions < frames:
            return
    pytest.fail("no two callers ever shared a run")


def test_callers_with_frames_of_different_sizes_get_their_own_answers(lamp):
    _, connection = lamp
    heights = [64, 96, 64, 128, 96, 160]
    with ThreadPoolExecutor(len(heights)) as pool:
        answers = list(pool.map(lambda height: call(connection, frame((1, 1), height=height)[np.newaxis]), heights))
    assert all(answer[0, :, :4].tolist() == [pytest.approx(box(1, 1), abs=0.01)] for answer in answers)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1, 31, 64, 3), "FRAMES is 31 x 64 x 3, at least 32 x 32 x 3 is served"),
        ((1, 64, 0, 3), "FRAMES is 64 x 0 x 3, at least 32 x 32 x 3 is served"),
        ((2, 721, 1280, 3), "FRAMES is 721 x 1280 x 3, more than 2764800 elements"),
        ((1, 64, 64, 4), "unexpected shape for input 'FRAMES'"),
        ((5, 64, 64, 3), "batch-size must be <= 4"),
    ],
)
def test_frames_that_cannot_be_served_are_refused_and_their_neighbours_answered(lamp, shape, reason):
    _, connection = lamp
    good = frame((1, 1))[np.newaxis]
    with ThreadPoolExecutor(4) as pool:
        bad = np.zeros(shape, np.uint8)
        futures = [pool.submit(call, connection, frames) for frames in (good, bad, good, bad)]
        errors = [future.exception() for future in futures]
    assert [type(error) for error in errors] == [type(None), EngineRefused, type(None), EngineRefused]
    assert reason in str(errors[1])
    assert futures[0].result().shape == (1, 1, 5)


def test_hand_made_answers_of_the_network_become_boxes_in_pixels(lamp):
    """s3fd_boxes by itself: a frame with two faces, one of them twice, and a frame with none."""
    _, connection = lamp
    shapes = {4: (48, 64), 8: (24, 32), 16: (12, 16), 32: (10, 12), 64: (5, 6), 128: (3, 3)}
    levels = {f"LEVEL_{stride}": np.zeros((2, *shape, 5), np.float32) for stride, shape in shapes.items()}
    levels["LEVEL_8"][0, 10, 5] = (0.9, 0, 0, 0, 0)  # 32 px around 44, 84
    levels["LEVEL_8"][0, 10, 6] = (0.8, -2.5, 0, 0, 0)  # the same place from the next anchor: 52 - 8
    levels["LEVEL_16"][0, 3, 12] = (0.7, 1, -0.5, np.log(1.5) / 0.2, 0)  # 96 x 64 px around 206.4, 52.8
    levels["LEVEL_16"][1, 3, 12] = (0.5, 0, 0, 0, 0)  # at the threshold
    result = connection.infer("s3fd_boxes", unary_inputs(levels), timeout_s=60.0)
    expected = [[28, 68, 60, 100, 0.9], [158.4, 20.8, 254.4, 84.8, 0.7]]
    np.testing.assert_allclose(result.as_numpy("BOXES"), [expected, np.zeros((2, 5))], atol=1e-3)
