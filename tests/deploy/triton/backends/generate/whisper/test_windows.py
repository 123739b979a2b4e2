import numpy as np
from generate.whisper.windows import windows
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 20_000), st.integers(1920, 6000), st.integers(0, 2**32 - 1))
def test_the_pieces_are_the_recording_and_none_is_too_long(samples: int, window: int, seed: int) -> None:
    audio = np.random.default_rng(seed).standard_normal(samples).astype(np.float32)
    pieces = windows(audio, window)
    assert np.array_equal(np.concatenate(pieces), audio)
    assert all(len(piece) <= window for piece in pieces)
    assert all(len(piece) >= window * 5 // 6 - 640 for piece in pieces[:-1])


def test_the_cut_lies_in_the_pause() -> None:
    audio = np.random.default_rng(0).standard_normal(16_000 * 40).astype(np.float32)
    audio[16_000 * 26 : 16_000 * 26 + 6400] = 0.0  # 0.4 s
    first, second = windows(audio, 16_000 * 30)
    assert 16_000 * 26 <= len(first) <= 16_000 * 26 + 6400
    assert len(second) == len(audio) - len(first)


def test_a_recording_that_fits_is_one_piece() -> None:
    audio = np.ones(480_000, np.float32)
    assert [len(piece) for piece in windows(audio, 480_000)] == [480_000]
