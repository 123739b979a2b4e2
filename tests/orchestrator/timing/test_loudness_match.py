from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.timing.loudness_match import (
    LIMITED_DB,
    MAX_GAIN_DB,
    MAX_STEP_DB,
    MIN_GAIN_DB,
    LoudnessMatch,
    SentenceLoudness,
)

CEILING_DBTP = -2.0
levels = st.one_of(st.none(), st.floats(-69.0, 0.0))
sentences = st.builds(
    SentenceLoudness,
    source_lufs=levels,
    source_s=st.floats(0.1, 20.0),
    dub_lufs=levels,
    dub_s=st.floats(0.1, 20.0),
    dub_peak_dbtp=st.floats(-40.0, 3.0),
)


def sentence(source_lufs, dub_lufs, source_s=2.0, dub_s=2.0, peak_dbtp=-20.0):
    return SentenceLoudness(source_lufs, source_s, dub_lufs, dub_s, peak_dbtp)


def test_the_dub_becomes_as_loud_as_the_source():
    match = LoudnessMatch(CEILING_DBTP)
    for _ in range(3):
        assert match.next_gain_db(sentence(-27.0, -20.0)) == pytest.approx(-7.0)
    assert match.source_lufs == pytest.approx(-27.0)
    assert match.dub_lufs_before == pytest.approx(-20.0)
    assert match.dub_lufs_after == pytest.approx(-27.0)


def test_one_loud_sentence_changes_the_gain_of_the_clip_slowly():
    match = LoudnessMatch(CEILING_DBTP)
    for _ in range(4):
        match.next_gain_db(sentence(-27.0, -20.0))
    assert -7.0 < match.next_gain_db(sentence(-15.0, -20.0)) <= -7.0 + MAX_STEP_DB


def test_silence_takes_the_gain_of_the_sentence_before():
    match = LoudnessMatch(CEILING_DBTP)
    assert match.next_gain_db(sentence(None, -20.0)) == 0.0
    match = LoudnessMatch(CEILING_DBTP)
    match.next_gain_db(sentence(-27.0, -20.0))
    assert match.next_gain_db(sentence(None, None)) == pytest.approx(-7.0)


def test_peaks_that_the_limiter_could_not_take_hold_the_gain_back():
    match = LoudnessMatch(CEILING_DBTP)
    assert match.next_gain_db(sentence(-10.0, -20.0, peak_dbtp=-1.0)) == CEILING_DBTP + LIMITED_DB + 1.0


@given(st.lists(sentences, min_size=1, max_size=12))
def test_gains_keep_their_limits_and_follow_from_the_sentences_alone(clip):
    match, again = LoudnessMatch(CEILING_DBTP), LoudnessMatch(CEILING_DBTP)
    gains = [match.next_gain_db(one) for one in clip]
    assert gains == [again.next_gain_db(one) for one in clip] == match.gains_db
    for one, gain in zip(clip, gains, strict=True):
        assert MIN_GAIN_DB - 50 <= gain <= MAX_GAIN_DB
        assert one.dub_peak_dbtp + gain <= CEILING_DBTP + LIMITED_DB + 1e-9
    for before, after in pairwise(gains):
        assert after - before <= MAX_STEP_DB + 1e-9
