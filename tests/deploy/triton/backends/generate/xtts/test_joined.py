import numpy as np
import pytest
from generate.xtts.joined import Chunk, Joined
from hypothesis import given
from hypothesis import strategies as st

RATE_HZ = 24_000


def told() -> tuple[list[Chunk], Joined]:
    chunks: list[Chunk] = []
    return chunks, Joined(chunks.append, RATE_HZ)


def ones(count: int) -> np.ndarray:
    return np.ones(count, np.float32)


def heard(chunks: list[Chunk]) -> np.ndarray:
    """What a listener has in the end who forgets when told to."""
    kept: list[np.ndarray] = []
    for chunk in chunks:
        kept = [chunk.samples] if chunk.restarts else [*kept, chunk.samples]
    return np.concatenate(kept)


@given(st.lists(st.just(0) | st.integers(200, 5000), min_size=1, max_size=8))
def test_a_piece_is_told_whole_faded_at_its_edges_alone(sizes: list[int]) -> None:
    chunks, joined = told()
    for size in sizes:
        joined.say(ones(size))
    joined.end()
    assert sum(len(chunk.samples) for chunk in chunks) == sum(sizes)
    assert all(len(chunk.samples) for chunk in chunks)
    if sum(sizes) > 400:
        whole = heard(chunks)
        assert whole[0] < 0.01
        assert whole[-1] < 0.01
        assert (whole[200:-200] == 1).all()


def test_pieces_follow_each_other_without_a_step() -> None:
    chunks, joined = told()
    for level in (0.5, -0.8):
        joined.say(level * ones(4000))
        joined.end()
    assert np.abs(np.diff(heard(chunks))).max() < 0.01


def test_a_piece_that_is_spoken_again_replaces_what_was_told_of_it() -> None:
    chunks, joined = told()
    joined.say(0.1 * ones(3000))
    joined.end()
    joined.say(0.2 * ones(5000))
    joined.restart("spoken again: no end")
    joined.say(0.3 * ones(3000))
    joined.end()
    assert [chunk.remark for chunk in chunks if chunk.remark] == ["spoken again: no end"]
    assert [chunk.restarts for chunk in chunks].count(True) == 1
    whole = heard(chunks)
    assert len(whole) == 6000
    assert whole[1500] == pytest.approx(0.1)
    assert whole[4500] == pytest.approx(0.3)


def test_nobody_is_told_to_forget_what_was_never_told() -> None:
    chunks, joined = told()
    joined.say(0.2 * ones(100))
    joined.restart("spoken again: only 0.1 s")
    joined.say(0.3 * ones(3000))
    joined.end("kept: only 0.1 s")
    assert not any(chunk.restarts for chunk in chunks)
    assert [chunk.remark for chunk in chunks] == ["spoken again: only 0.1 s", "kept: only 0.1 s"]
    assert len(heard(chunks)) == 3000


def test_a_cut_sound_fades_out_for_longer() -> None:
    chunks, joined = told()
    joined.say(ones(6000))
    joined.end("cut: no end", cut=True)
    tail = heard(chunks)[-1200:]
    assert (np.diff(tail) < 0).all()
    assert chunks[-1].remark == "cut: no end"
