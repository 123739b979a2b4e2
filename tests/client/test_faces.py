import numpy as np
import pytest

from client.errors import ContractViolation
from client.triton import TritonFaces

pytestmark = pytest.mark.triton


@pytest.fixture(params=["grpc", "shared_memory", "auto"])
def faces(connection, request) -> TritonFaces:
    return TritonFaces(connection, "faces_plain", timeout_s=20, transport=request.param)


def frames_with(*counts: int, mood: int = 0) -> np.ndarray:
    """One frame per count: the model finds so many faces in it, the first at x = 20 * index."""
    frames = np.full((len(counts), 48, 64, 3), 7, np.uint8)
    for index, (frame, count) in enumerate(zip(frames, counts, strict=True)):
        frame[0, 0] = (count, mood, 20 * index)
    return frames


def test_padding_rows_are_dropped_and_batches_split(faces):
    """Seven frames through an engine that takes three at once."""
    boxes = faces.detect(frames_with(0, 1, 2, 1, 3, 0, 1))

    assert [found.shape for found in boxes] == [(count, 5) for count in (0, 1, 2, 1, 3, 0, 1)]
    assert boxes[2].tolist() == [[40, 5, 50, 48, 0.5], [41, 5, 51, 48, 0.5]]
    assert boxes[6].tolist() == [[120, 5, 130, 48, 0.5]]


def test_no_frames_have_no_faces(faces):
    assert faces.detect(frames_with()) == []


def test_frames_that_are_a_view_are_sent_as_they_look(faces):
    frames = frames_with(1, 2, 1, 2)
    every_other_mirrored = frames[::2, :, ::-1][:, :, ::-1]

    assert [len(found) for found in faces.detect(every_other_mirrored)] == [1, 1]


@pytest.mark.parametrize(("mood", "words"), [(1, "BOXES holds NaN"), (2, "outside 0..1"), (3, "no area")])
def test_wrong_boxes_break_the_contract(faces, mood, words):
    with pytest.raises(ContractViolation, match=words):
        faces.detect(frames_with(1, mood=mood))


@pytest.mark.parametrize("shape", [(48, 64, 3), (1, 48, 64, 4)])
def test_frames_of_the_wrong_shape_never_leave(faces, shape):
    with pytest.raises(ValueError, match="frames must be"):
        faces.detect(np.zeros(shape, np.uint8))


def test_an_engine_that_states_no_short_side_has_none(faces):
    assert faces.short_side_px is None
