from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.timing.ducking import ATTACK_S, BRIDGE_S, RELEASE_S, duck_gains, joined

RATE_HZ = 1000
LEVEL_DB = -18.0
DUCKED = 10 ** (LEVEL_DB / 20)
spans = st.lists(
    st.tuples(st.floats(0, 20), st.floats(0.01, 4)).map(lambda span: (span[0], span[0] + span[1])), max_size=8
)


def gains_of(*speech, seconds=10.0):
    return duck_gains(speech, 0, round(seconds * RATE_HZ), RATE_HZ, LEVEL_DB)


def at(gains, time_s):
    return gains[round(time_s * RATE_HZ)]


def test_without_speech_the_sound_is_left_alone():
    assert (gains_of() == 1.0).all()


def test_speech_is_ducked_from_its_first_moment_to_its_last_and_the_rest_is_not():
    gains = gains_of((3.0, 5.0))
    assert gains[3000:5000] == pytest.approx(DUCKED, abs=1e-4)
    assert (gains[: round((3.0 - ATTACK_S) * RATE_HZ)] == 1.0).all()
    assert (gains[round((5.0 + RELEASE_S) * RATE_HZ) + 1 :] == 1.0).all()


def test_a_short_pause_does_not_pump_and_a_long_one_comes_back_whole():
    assert gains_of((1.0, 3.0), (3.5, 5.0))[1000:5000] == pytest.approx(DUCKED, abs=1e-4)
    assert at(gains_of((1.0, 3.0), (5.0, 6.0)), 4.0) == 1.0


@given(spans)
def test_gains_lie_between_both_levels_and_never_jump(speech):
    gains = gains_of(*speech, seconds=30.0)
    assert gains.min() >= DUCKED - 1e-4
    assert gains.max() <= 1.0
    steps_db = np.abs(np.diff(20 * np.log10(gains)))
    assert steps_db.max() <= -LEVEL_DB / (ATTACK_S * RATE_HZ) + 1e-3


@given(spans, st.integers(0, 30_000))
def test_what_lies_further_away_than_the_bridge_changes_nothing(speech, first):
    count = 500
    whole = duck_gains(speech, 0, 31_000, RATE_HZ, LEVEL_DB)[first : first + count]
    from_s, to_s = first / RATE_HZ - BRIDGE_S, (first + count) / RATE_HZ + BRIDGE_S
    near = [span for span in speech if span[0] < to_s and span[1] > from_s]
    assert duck_gains(near, first, count, RATE_HZ, LEVEL_DB)[: len(whole)] == pytest.approx(whole, abs=1e-5)


@given(spans)
def test_joined_spans_are_apart_and_hold_all_speech(speech):
    together = joined(speech)
    for before, after in pairwise(together):
        assert after[0] - before[1] >= BRIDGE_S
    for start_s, end_s in speech:
        assert any(span[0] <= start_s and end_s <= span[1] for span in together)
