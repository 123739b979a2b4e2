"""faces_haar in the embedded Triton, through the project's client."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from client.errors import EngineRefused
from client.faces import TritonFaces
from client.tensors import unary_inputs

pytestmark = pytest.mark.triton
PORTRAIT = Path(__file__).parents[3] / "samples" / "astronaut.png"
FACE = (178, 69, 270, 161)  # of the 512 x 512 portrait, checked by eye


@pytest.fixture(scope="module")
def faces(connection):
    return TritonFaces(connection, "faces_haar", timeout_s=60.0)


@pytest.fixture(scope="module")
def portrait():
    picture = cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB)
    assert picture.shape == (512, 512, 3)
    return picture


def overlap(box, other) -> float:
    """Intersection over union."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    both = max(width, 0) * max(height, 0)
    return both / ((box[2] - box[0]) * (box[3] - box[1]) + (other[2] - other[0]) * (other[3] - other[1]) - both)


@pytest.mark.parametrize("brightness", [1.0, 0.3, 0.12])
def test_the_portrait_has_one_face_in_light_and_in_the_dark(faces, portrait, brightness):
    (found,) = faces.detect((portrait * brightness).astype(np.uint8)[np.newaxis])
    assert len(found) == 1
    assert overlap(found[0], FACE) > 0.7
    assert 0.7 < found[0, 4] < 1


def test_frames_of_one_batch_keep_their_own_faces(faces, portrait):
    mirrored = portrait[:, ::-1]
    upright, nobody, mirror = faces.detect(np.stack([portrait, np.zeros_like(portrait), mirrored]))
    assert overlap(upright[0], FACE) > 0.7
    assert len(nobody) == 0
    assert overlap(mirror[0], (512 - FACE[2], FACE[1], 512 - FACE[0], FACE[3])) > 0.7


def test_two_faces_in_one_frame_come_largest_first(faces, portrait):
    pair = np.zeros((512, 900, 3), np.uint8)
    pair[:384, :384] = cv2.resize(portrait, (384, 384), interpolation=cv2.INTER_AREA)
    pair[:, 388:] = portrait
    (found,) = faces.detect(pair[np.newaxis])
    assert len(found) == 2
    assert overlap(found[0], np.add(FACE, (388, 0, 388, 0))) > 0.7
    assert overlap(found[1], np.array(FACE) * 0.75) > 0.7


def test_a_frame_larger_than_the_search_gives_boxes_in_its_own_pixels(faces, portrait):
    large = cv2.resize(portrait, (1500, 1500))
    (found,) = faces.detect(large[np.newaxis])
    assert overlap(found[0], np.array(FACE) * (1500 / 512)) > 0.7


def test_a_tilted_head_is_found(faces, portrait):
    tilt = cv2.getRotationMatrix2D((224, 115), -15, 1.0)
    (found,) = faces.detect(cv2.warpAffine(portrait, tilt, (512, 512))[np.newaxis])
    assert len(found) == 1
    assert overlap(found[0], FACE) > 0.6


@pytest.mark.parametrize(
    "picture",
    [
        np.random.default_rng(0).integers(0, 256, (180, 320, 3), dtype=np.uint8),
        np.full((120, 160, 3), 127, np.uint8),
        np.zeros((3, 2, 3), np.uint8),
    ],
    ids=["noise", "grey", "tiny"],
)
def test_a_picture_without_a_face_gives_none(faces, picture):
    (found,) = faces.detect(picture[np.newaxis])
    assert found.shape == (0, 5)


def test_a_frame_without_pixels_is_refused_and_its_neighbours_are_answered(connection, faces, portrait):
    def call(frames: np.ndarray):
        return connection.infer("faces_haar", unary_inputs({"FRAMES": frames}), timeout_s=60.0)

    empty = np.zeros((1, 0, 64, 3), np.uint8)
    small = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)[np.newaxis]
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(call, frames) for frames in (small, empty, small, empty)]
        errors = [future.exception() for future in calls]
    assert [type(error) for error in errors] == [type(None), EngineRefused, type(None), EngineRefused]
    assert "FRAMES must hold pictures" in str(errors[1])
    assert calls[0].result().as_numpy("BOXES").shape == (1, 1, 5)
