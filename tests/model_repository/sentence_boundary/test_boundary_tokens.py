"""The tokeniser of sentence_boundary: what the network gets to see."""

import numpy as np
from boundary_tokens import (
    CAPITAL,
    DIGITS,
    ELLIPSIS,
    ENDING_BUCKETS,
    ENDING_MARK,
    FEATURES,
    INNER_MARK,
    LOWER,
    MAX_TAIL_CHARS,
    TOKENS,
    UPPER,
    WORD_BUCKETS,
    features_of,
    token_features,
    tokens_of,
)
from hypothesis import given
from hypothesis import strategies as st


def test_words_numbers_and_marks_are_tokens_and_all_else_is_dropped():
    text = '¿Qué dijo "Mr. O’Neill" (a las 10:30)… 👋 ayer?'
    assert tokens_of(text) == ["¿", "Qué", "dijo", "Mr", ".", "O’Neill", "a", "las", "10:30", "…", "ayer", "?"]


def test_each_kind_of_token_has_its_shape():
    shapes = {token: token_features(token)[3] for token in ("yes", "Yes", "YES", "I", "12", "?", ",", "...", "…")}
    assert shapes == {
        "yes": LOWER,
        "Yes": CAPITAL,
        "YES": UPPER,
        "I": CAPITAL,
        "12": DIGITS,
        "?": ENDING_MARK,
        ",": INNER_MARK,
        "...": ELLIPSIS,
        "…": ELLIPSIS,
    }


def test_capitals_and_the_kind_of_apostrophe_change_nothing_but_the_shape():
    assert token_features("Don’t")[:3] == token_features("don't")[:3]
    assert token_features("7")[:3] == token_features("1,000.5")[:3]


def test_words_with_one_ending_share_its_number_and_no_other():
    walking, talking = token_features("walking"), token_features("sleeping")
    assert walking[2] == talking[2]
    assert walking[:2] != talking[:2]


def test_the_hashes_are_the_same_in_every_process():
    assert token_features("sentence") == (4383, 930, 39, LOWER)


@given(st.text())
def test_any_text_becomes_numbers_in_their_ranges_with_zeros_after_the_last(text):
    features = features_of(text)
    assert features.shape == (TOKENS, FEATURES)
    assert features.dtype == np.int32
    count = int((features[:, 3] > 0).sum())
    assert (features[:count] > 0).all()
    assert not features[count:].any()
    assert (features[:, :2] < WORD_BUCKETS).all()
    assert (features[:, 2] < ENDING_BUCKETS).all()
    assert count == min(TOKENS, len(tokens_of(text)))


@given(st.lists(st.sampled_from(["the", "Sea", "is", ",", "blue", "."]), min_size=TOKENS + 1, max_size=400))
def test_only_the_last_tokens_count(tokens):
    assert np.array_equal(features_of(" ".join(tokens)), features_of(" ".join(tokens[-TOKENS:])))


def test_a_long_text_is_read_from_its_end_only():
    end = " ".join(["and", "so", "on"] * 16)
    assert np.array_equal(features_of("word " * 1_000_000 + end), features_of(end))
    assert features_of("x" * 10 * MAX_TAIL_CHARS)[:, 3].tolist() == [LOWER] + [0] * (TOKENS - 1)
