import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pocketsphinx_hearing import (
    LONGEST_WORD_S,
    Word,
    active_frames,
    believable,
    mean_logprob,
    no_speech_probability,
)

RATE_HZ = 16_000


def words(*spans: tuple[int, int, float]) -> list[Word]:
    return [Word("word", start, end, probability) for start, end, probability in spans]


def test_only_frames_near_the_loudest_level_are_active():
    loud, soft = np.full(1600, 0.5, np.float32), np.full(1600, 0.5 * 10 ** (-40 / 20), np.float32)
    active = active_frames(np.concatenate([soft, loud]), RATE_HZ)
    assert active.tolist() == [False] * 10 + [True] * 10


def test_nothing_is_active_in_silence_or_below_what_can_be_heard():
    assert not active_frames(np.zeros(1234, np.float32), RATE_HZ).any()
    assert not active_frames(np.full(1600, 5e-4, np.float32), RATE_HZ).any()


@given(st.integers(1, 5000))
def test_every_sample_lies_in_a_frame(samples):
    assert len(active_frames(np.ones(samples, np.float32), RATE_HZ)) == -(-samples // 160)


def test_one_word_in_a_long_silence_is_speech():
    active = np.zeros(1000, bool)
    active[500:550] = True
    assert no_speech_probability(words((498, 552, 1.0)), active) == 0.0


def test_sound_without_words_and_silence_are_no_speech():
    assert no_speech_probability([], np.ones(100, bool)) == 1.0
    assert no_speech_probability([], np.zeros(100, bool)) == 1.0


def test_a_doubtful_word_explains_only_its_share():
    assert no_speech_probability(words((0, 99, 0.25)), np.ones(100, bool)) == pytest.approx(0.75)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1))), st.lists(st.booleans(), max_size=60)
)
def test_probabilities_keep_to_their_ranges(spans, active):
    heard = words(*spans)
    assert 0.0 <= no_speech_probability(heard, np.array(active, bool)) <= 1.0
    assert mean_logprob(heard) <= 0.0
    assert np.isfinite(mean_logprob(heard))


def test_the_mean_log_probability_is_that_of_the_words():
    assert mean_logprob(words((0, 9, 1.0), (10, 19, np.exp(-2.0)))) == pytest.approx(-1.0)
    assert mean_logprob([]) == 0.0


def test_a_word_longer_than_anyone_speaks_is_dropped():
    frames = int(LONGEST_WORD_S * 100)
    kept, dropped = words((0, frames - 1, 1.0), (0, frames, 1.0))
    assert believable([kept, dropped]) == [kept]
