import numpy as np
import pytest

from client.errors import EngineUnavailable
from orchestrator.visual.remembered import MAX_BATCHES, RememberedFaces
from tests.fakes.engines import FakeFaces


def batch(tone, height=48):
    return np.full((2, height, 64, 3), tone, np.uint8)


def test_the_same_pictures_are_asked_about_once():
    fake = FakeFaces()
    faces = RememberedFaces(fake)
    first = faces.detect(batch(1))
    assert all(np.array_equal(a, b) for a, b in zip(faces.detect(batch(1)), first, strict=True))
    faces.detect(batch(2))
    faces.detect(batch(1, height=24))
    assert len(fake.calls) == 3
    assert faces.engine_s > 0
    assert faces.short_side_px == fake.short_side_px


def test_an_error_is_not_remembered():
    faces = RememberedFaces(FakeFaces(failures=[EngineUnavailable("faces", "away")]))
    with pytest.raises(EngineUnavailable):
        faces.detect(batch(1))
    assert len(faces.detect(batch(1))) == 2


def test_what_is_remembered_is_bounded():
    fake = FakeFaces()
    faces = RememberedFaces(fake)
    for number in range(MAX_BATCHES + 2):
        faces.detect(np.frombuffer(number.to_bytes(12, "big"), np.uint8).reshape(1, 2, 2, 3))
    asked = len(fake.calls)
    faces.detect(np.frombuffer((0).to_bytes(12, "big"), np.uint8).reshape(1, 2, 2, 3))
    assert len(fake.calls) == asked + 1
