import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.visual.match import MAX_GAIN, MAX_SHIFT_LEVELS, colour_match, kept_detail

MOUTH = (0.05, 0.5, 0.95, 1.0)
SIZE = 96


def skin(seed=0):
    """A crop with shading, features and texture, well inside 0..255."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    shading = 150 - 60 * (x - 0.4) ** 2 - 40 * y + 25 * np.sin(9 * x) * np.cos(7 * y)
    crop = shading[..., None] * (1.0, 0.8, 0.65) + random.normal(0, 4, (SIZE, SIZE, 3))
    return np.clip(np.rint(crop), 0, 255).astype(np.uint8)


def cast_of(crop, gain, shift):
    return np.clip(np.rint(crop * np.asarray(gain) + np.asarray(shift)), 0, 255).astype(np.uint8)


def test_equal_pictures_are_left_as_they_are():
    crop = skin()
    match = colour_match(crop, crop, MOUTH)
    assert (match.gain == 1).all()
    assert (match.offset == 0).all()
    assert np.array_equal(match.apply(crop), crop)


gains = st.tuples(*[st.floats(0.85, 1.15)] * 3)
shifts = st.tuples(*[st.floats(-15, 15)] * 3)


@settings(max_examples=40, deadline=None)
@given(gains, shifts, st.integers(0, 50))
def test_a_cast_is_taken_back(gain, shift, seed):
    crop = skin(seed)
    matched = colour_match(cast_of(crop, gain, shift), crop, MOUTH).apply(cast_of(crop, gain, shift))
    off = np.abs((matched - crop).mean(axis=(0, 1)))
    assert off.max() < 2.0
    assert np.abs(matched - crop).mean() < 3.0


@pytest.mark.parametrize("moved", [(48, 90, 30, 66), (80, 96, 20, 76)], ids=["mouth", "chin"])
def test_what_moved_does_not_count_as_colour(moved):
    top, bottom, left, right = moved
    crop = skin()
    answer = cast_of(crop, (1.1, 1.0, 0.9), (5, -5, 0))
    spoken = answer.copy()
    spoken[top:bottom, left:right] = (30, 10, 10)
    still, talking = colour_match(answer, crop, MOUTH), colour_match(spoken, crop, MOUTH)
    level = np.array([130.0, 100.0, 80.0])
    assert np.abs((still.gain - talking.gain) * level + still.offset - talking.offset).max() < 2.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255), st.sampled_from([MOUTH, (0.0, 0.0, 1.0, 1.0), (0.4, 0.4, 0.6, 0.6)]))
def test_no_answer_makes_it_explode(level, seed, mouth):
    random = np.random.default_rng(seed)
    for answer in (np.full((SIZE, SIZE, 3), level, np.uint8), random.integers(0, 256, (SIZE, SIZE, 3), np.uint8)):
        match = colour_match(answer, skin(), mouth)
        assert np.isfinite(match.gain).all() and np.isfinite(match.offset).all()
        assert ((match.gain >= 1 / MAX_GAIN - 1e-9) & (match.gain <= MAX_GAIN + 1e-9)).all()
        ring_mean_moves_at_most = MAX_SHIFT_LEVELS + (MAX_GAIN - 1) * 255
        assert np.abs(match.apply(answer) - answer.astype(np.float32)).max() <= ring_mean_moves_at_most


def test_a_match_does_not_flicker_while_the_mouth_moves():
    crop = skin()
    random = np.random.default_rng(1)
    levels = []
    for frame in range(20):
        answer = cast_of(crop + random.normal(0, 2, crop.shape), (1.08, 0.97, 0.9), (4, 3, -2))
        half = 3 + 2 * (frame % 7)
        answer[72 - half : 72 + half, 33:63] = (40, 15, 15)
        match = colour_match(answer, crop, MOUTH)
        levels.append(match.gain * (130, 100, 80) + match.offset)
    assert np.abs(np.diff(levels, axis=0)).max() < 0.6


def test_detail_is_kept_where_nothing_moved_and_only_there():
    crop = skin()[..., 0].astype(np.float32)
    answer = crop + np.random.default_rng(2).normal(0, 2, crop.shape).astype(np.float32)
    assert kept_detail(crop, crop).min() == 1
    assert kept_detail(answer, crop).min() > 0.9
    answer[60:80, 34:62] -= 40
    kept = kept_detail(answer, crop)
    assert kept.shape == (SIZE, SIZE)
    assert kept[60:80, 34:62].max() < 0.02
    assert kept[:44].min() > 0.9
