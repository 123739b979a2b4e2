from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from s3fd_decode import CENTRE_VARIANCE, MOST_FACES, SIZE_VARIANCE, STRIDES_PX, faces_of, suppressed

from export.s3fd import boxes
from export.s3fd.network import STRIDES
from tests.model_repository.s3fd_boxes.s3fd_literal import literal_faces, literal_overlap

SEEDS = st.integers(0, 2**32 - 1)


def random_levels(seed: int, faces: int) -> list[np.ndarray]:
    """Six levels of a picture of 64 x 96 px with about so many anchors over 0.5 on the first ones."""
    rng = np.random.default_rng(seed)
    shapes = [(16, 24), (8, 12), (4, 6), (6, 7), (3, 4), (2, 2)]
    levels = [rng.normal(size=(*shape, 5)).astype(np.float32) for shape in shapes]
    for level in levels:
        level[..., 0] = rng.uniform(0, 0.6, level.shape[:2]) ** 2
    for _ in range(faces):
        level = levels[rng.integers(6)]
        level[rng.integers(level.shape[0]), rng.integers(level.shape[1]), 0] = rng.uniform(0.4, 1)
    return levels


def random_rows(seed: int, count: int) -> np.ndarray:
    """Boxes in a picture of 100 px, often over each other; no two scores are equal."""
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 80, (count, 2)), rng.uniform(5, 60, (count, 2))
    scores = rng.permutation(np.linspace(0.51, 0.99, count))[:, np.newaxis]
    return np.concatenate([corner, corner + size, scores], axis=1).astype(np.float32)


def nobody() -> list[np.ndarray]:
    return [np.zeros((4, 4, 5), np.float32) for _ in STRIDES_PX]


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 40))
def test_faces_are_those_of_the_published_decoding(seed, faces):
    levels = random_levels(seed, faces)
    expected = literal_faces([level.tolist() for level in levels])
    found = faces_of(levels, 0.5, 0.3)
    assert found.dtype == np.float32
    assert found.shape == (len(expected), 5)
    np.testing.assert_allclose(found, np.reshape(expected, (-1, 5)), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("level", "row", "column", "offsets", "box"),
    [
        (0, 0, 0, (0, 0, 0, 0), (-6, -6, 10, 10)),  # 16 px around 2, 2; over the edge, as published
        (2, 1, 3, (0, 0, 0, 0), (24, -8, 88, 56)),  # 64 px around 56, 24
        (2, 1, 3, (2.5, -1.25, 0, 0), (40, -16, 104, 48)),  # a quarter to the right, an eighth up
        (3, 2, 2, (0, 0, np.log(0.5) / 0.2, np.log(2) / 0.2), (48, -48, 112, 208)),  # half as wide, twice as high
        (5, 1, 1, (0, 0, 0, 0), (-64, -64, 448, 448)),  # the largest, 512 px around 192, 192
    ],
)
def test_a_known_anchor_lands_on_its_pixels(level, row, column, offsets, box):
    levels = nobody()
    levels[level][row, column] = (0.75, *offsets)
    assert faces_of(levels, 0.5, 0.3)[0].tolist() == pytest.approx([*box, 0.75], abs=1e-3)


def test_a_picture_without_a_face_has_no_rows():
    assert faces_of(nobody(), 0.5, 0.3).shape == (0, 5)


def test_a_score_at_the_threshold_is_no_face_and_candidates_have_a_floor():
    levels = nobody()
    levels[0][..., 0], levels[5][..., 0] = 0.5, 0.05
    assert len(faces_of(levels, 0.5, 0.3)) == 0
    assert (faces_of(levels, 0.0, 0.3)[:, 4] == 0.5).all()


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e30, -1e30])
@pytest.mark.parametrize("value", [1, 2, 3, 4])
def test_boxes_that_nobody_can_use_are_dropped_alone(broken, value):
    levels = nobody()
    levels[0][2, 2, 0] = levels[4][1, 1, 0] = 0.9
    levels[0][2, 2, value] = broken
    found = faces_of(levels, 0.5, 0.3)
    assert np.isfinite(found).all()
    assert found[-1, :4].tolist() == [-32, -32, 224, 224]


@given(SEEDS, st.integers(0, 40), st.floats(0, 1))
def test_no_two_kept_boxes_overlap_by_more_and_the_best_is_kept(seed, count, overlap):
    rows = random_rows(seed, count)
    kept = suppressed(rows, overlap)
    assert all(
        literal_overlap(one, other) <= overlap + 1e-5
        for index, one in enumerate(kept.tolist())
        for other in kept[:index].tolist()
    )
    assert (np.diff(kept[:, 4]) < 0).all()
    if count:
        assert (kept[0] == rows[rows[:, 4].argmax()]).all()


@given(SEEDS, st.integers(0, 40))
def test_every_dropped_box_overlaps_a_better_one_that_was_kept(seed, count):
    rows = random_rows(seed, count)
    kept = suppressed(rows, 0.3)
    dropped = [row for row in rows.tolist() if row not in kept.tolist()]
    for row in dropped:
        assert any(one[4] > row[4] and literal_overlap(one, row) > 0.3 - 1e-5 for one in kept.tolist())


@given(SEEDS, st.integers(0, 40))
def test_the_order_of_the_boxes_does_not_matter_and_twice_is_once(seed, count):
    rows = random_rows(seed, count)
    kept = suppressed(rows, 0.3)
    shuffled = np.random.default_rng(seed).permutation(rows)
    np.testing.assert_array_equal(suppressed(shuffled, 0.3), kept)
    np.testing.assert_array_equal(suppressed(kept, 0.3), kept)


def test_a_network_gone_wrong_costs_no_more_than_the_best_faces():
    levels = [np.zeros((300, 300, 5), np.float32), *nobody()[1:]]
    levels[0][..., 0] = np.random.default_rng(0).uniform(0.6, 1, (300, 300))
    found = faces_of(levels, 0.5, 0.3)
    assert len(found) == MOST_FACES
    assert found[0, 4] == levels[0][..., 0].max()


def test_the_constants_that_the_exporter_repeats_are_the_same():
    assert (boxes.CENTRE_VARIANCE, boxes.SIZE_VARIANCE) == (CENTRE_VARIANCE, SIZE_VARIANCE)
    assert STRIDES == STRIDES_PX
    config = (Path(__file__).parents[3] / "model_repository" / "s3fd_boxes" / "config.pbtxt").read_text("utf-8")
    assert f'key: "face_score" value: {{ string_value: "{boxes.FACE_SCORE}" }}' in config
