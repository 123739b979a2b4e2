import numpy as np
import pytest

from export.sentence_boundary.corpus import Passage
from export.sentence_boundary.styles import PUNCTUATED, SPEECH
from export.sentence_boundary.tokens import TOKENISER
from export.sentence_boundary.windows import draw, stream

PASSAGES = [
    Passage(
        f"g{number}",
        "d",
        "en",
        ("When we came, we sat down and saw it.", "Was it Mr. Brown?", "Nobody answered us at all."),
    )
    for number in range(8)
]


@pytest.fixture(scope="module")
def streams():
    return {style: stream(PASSAGES, style, 1) for style in (PUNCTUATED, SPEECH)}


def places(source, token: str) -> np.ndarray:
    return np.flatnonzero((source.features == np.array(TOKENISER.token_features(token))).all(axis=1))


def test_in_speech_a_sentence_ends_at_its_last_word_only(streams):
    source = streams[SPEECH]
    for token, complete in (("it", 0.5), ("brown", 1), ("all", 1), ("us", 0), ("came", 0), ("mr", 0)):
        assert source.complete[places(source, token)].mean() == complete, token  # "it": once last, once first


def test_in_punctuated_text_the_last_word_and_the_mark_end_it_and_an_abbreviation_does_not(streams):
    source = streams[PUNCTUATED]
    assert (source.complete[places(source, "?")] == 1).all()
    assert (source.complete[places(source, "Brown")] == 1).all()
    after_mr = places(source, "Mr") + 1
    assert (source.complete[after_mr] == 0).all()
    assert (source.complete[places(source, ",")] == 0).all()


def test_both_answers_weigh_as_much_in_sum(streams):
    for source in streams.values():
        ended = source.complete == 1
        assert source.weights[ended].sum() == pytest.approx(source.weights[~ended].sum(), rel=1e-4)


def test_places_where_people_pause_weigh_more(streams):
    source = streams[SPEECH]
    [came, *_], [saw, *_], [down, *_] = (places(source, word) for word in ("came", "saw", "down"))
    assert source.weights[came] > 4 * source.weights[saw]
    assert source.weights[down] == 0  # before "and": whole or not, nobody can tell


def test_windows_are_drawn_from_the_streams_and_repeat_with_the_seed(streams):
    tokens, complete, weights = draw(streams, 5, np.random.default_rng(3))
    assert tokens.shape == (10, TOKENISER.TOKENS, TOKENISER.FEATURES)
    assert complete.shape == weights.shape == tokens.shape[:2]
    again, *_ = draw(streams, 5, np.random.default_rng(3))
    assert np.array_equal(tokens, again)
