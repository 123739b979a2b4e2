import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.visual.speaker import LAGS_S, Window, speakers

STEP_S = 0.04


def speech(seconds, seed, pauses=()):
    """A loudness of syllables, sampled at 100 Hz, with a second of margin on both sides."""
    random = np.random.default_rng(seed)
    times = np.arange(0, seconds + 2, 0.01)
    knots = np.arange(0, seconds + 3, 0.13)
    syllables = np.interp(times, knots, random.uniform(0.1, 1.0, len(knots)))
    for start, end in pauses:
        syllables[(times - 1 >= start) & (times - 1 < end)] = 0.0
    return lambda at: np.interp(at + 1, times, syllables)


def window(sound, movers, seconds=6.0, lag_s=0.0, noise=0.08, seed=0, present=None):
    """Faces that move with a loudness each; None keeps still."""
    random = np.random.default_rng(seed)
    times = np.arange(0, seconds, STEP_S)
    motions = np.stack(
        [random.normal(0, noise, len(times)) + (0 if mover is None else 0.8 * mover(times + lag_s)) for mover in movers]
    )
    there = np.ones(motions.shape, bool) if present is None else present(times)
    return Window(times, np.where(there, motions, np.nan), there, sound(times + LAGS_S[:, None]))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lag_s", [-0.12, 0.0, 0.12])
def test_the_mouth_that_moves_with_the_sound_is_chosen_whatever_the_lag(seed, lag_s):
    own, other = speech(6, seed), speech(6, seed + 100)
    chosen = speakers(window(own, [other, own, None], lag_s=lag_s, seed=seed))
    assert np.mean(np.array(chosen) == 1) > 0.9


def test_a_change_of_speaker_is_followed():
    times = np.arange(0, 8, STEP_S)
    right, changes = [], []
    for seed in range(16):
        whole = speech(8, seed, pauses=[(3.7, 4.3)])
        turns = [lambda at, whole=whole: np.where(at < 4, whole(at), 0.0)]
        turns += [lambda at, whole=whole: np.where(at >= 4, whole(at), 0.0)]
        chosen = np.array(speakers(window(whole, turns, seconds=8.0, seed=seed)))
        right.append(np.mean(chosen == (times >= 4)))
        changes.append((np.diff(chosen) != 0).sum())
    assert np.mean(right) > 0.9
    assert max(changes) <= 3


@pytest.mark.parametrize("seed", range(8))
def test_nobody_is_believed_when_all_keep_still(seed):
    chosen = np.array(speakers(window(speech(6, seed), [None, None], seed=seed)))
    assert np.mean(chosen == -1) > 0.8


def test_who_spoke_before_keeps_the_floor_while_nothing_is_heard():
    silent = speech(2, 0, pauses=[(-1, 9)])
    for before in (-1, 0, 1):
        assert set(speakers(window(silent, [None, None], seconds=2.0), before)) == {before}


def test_a_face_that_is_out_of_sight_is_never_chosen():
    own = speech(6, 1)

    def present(times):
        return np.stack([np.ones(len(times), bool), times < 3])

    chosen = np.array(speakers(window(own, [None, own], present=present)))
    assert (chosen[:70] == 1).mean() > 0.9
    assert not (chosen[75:] == 1).any()


@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 999), st.integers(-1, 0) | st.none())
def test_every_frame_gets_a_face_in_sight_or_nobody(faces, frames, seed, before):
    random = np.random.default_rng(seed)
    present = random.random((faces, frames)) < 0.7
    motions = np.where(present & (random.random((faces, frames)) < 0.9), random.normal(0, 5, (faces, frames)), np.nan)
    times = np.cumsum(random.uniform(0.001, 2.0, frames))
    loudness = random.random((len(LAGS_S), frames))
    chosen = speakers(Window(times, motions, present, loudness), before)
    assert len(chosen) == frames
    assert all(face == -1 or present[face, frame] for frame, face in enumerate(chosen))
