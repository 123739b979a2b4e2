"""Searches over a language of four words, in which every text can be looked at."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.seq2seq.beam import BeamSettings, decode_beam, decode_beam_openai
from export.seq2seq.greedy import decode_greedy
from export.seq2seq.rules import Rules, log_softmax

WORDS, END = 5, 4
PROMPT = np.array([[0]], np.int64)


class Language:
    """Stands for `Graphs`: what follows depends on the last two tokens of a row."""

    def __init__(self, seed: int) -> None:
        self.table = np.random.default_rng(seed).normal(0, 2, (WORDS, WORDS, WORDS)).astype(np.float32)

    def start(self, cross, sources, beams=1):
        return Said(self, sources * beams)

    def score(self, text: list[int]) -> float:
        """Sum of the log-probabilities of a text after the prompt."""
        ids = [0, 0, *text]
        return sum(
            float(log_softmax(self.table[one, two])[three])
            for one, two, three in zip(ids, ids[1:], ids[2:], strict=False)
        )


class Said:
    def __init__(self, language: Language, rows: int) -> None:
        self.language, self.ids = language, np.zeros((rows, 1), np.int64)

    def step(self, ids):
        self.ids = np.concatenate([self.ids, ids], axis=1)
        return self.language.table[self.ids[:, -2], self.ids[:, -1]][:, None]

    def pick(self, rows):
        self.ids = self.ids[rows]


def every_text(limit):
    """All texts that end with the end token, or with the limit."""
    for length in range(1, limit + 1):
        for text in itertools.product(range(WORDS - 1), repeat=length - 1):
            yield [*text, END]
    for text in itertools.product(range(WORDS - 1), repeat=limit):
        yield list(text)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), penalty=st.sampled_from([0.5, 1.0, 2.0]))
def test_a_search_with_room_for_every_text_finds_the_best(seed, penalty):
    language, limit = Language(seed), 3
    found = decode_beam(language, {}, PROMPT, Rules(END), limit, BeamSettings(150, penalty))
    best = max(every_text(limit), key=lambda text: language.score(text) / len(text) ** penalty)
    assert found == best


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), limit=st.integers(1, 6))
def test_one_beam_is_greedy(seed, limit):
    language = Language(seed)
    [greedy] = decode_greedy(language, {}, PROMPT, Rules(END), limit)
    text = decode_beam(language, {}, PROMPT, Rules(END), limit, BeamSettings(1, early_stopping=True))
    assert text[: len(greedy)] == greedy
    assert decode_beam_openai(language, {}, PROMPT, Rules(END), limit, 1)[: len(greedy)] == greedy


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), beams=st.integers(2, 4), limit=st.integers(1, 6))
def test_more_beams_keep_to_the_rules(seed, beams, limit):
    language = Language(seed)
    rules = Rules(END, suppress=(2,), begin_suppress=(END,), forced_last=END)
    for text in (
        decode_beam(language, {}, PROMPT, rules, limit, BeamSettings(beams)),
        decode_greedy(language, {}, PROMPT, rules, limit)[0],
    ):
        assert len(text) <= limit
        assert 2 not in text
        assert text[0] != END or limit == 1
        assert text[-1] == END


@pytest.mark.parametrize("limit", [1, 4])
def test_openais_search_ends_every_text(limit):
    text = decode_beam_openai(Language(7), {}, PROMPT, Rules(END), limit, 3)
    assert text[-1] == END
    assert END not in text[:-1]
    assert len(text) <= limit + 1


def test_log_softmax_is_a_distribution_at_any_height():
    logits = np.array([[1e4, 1e4 - 1, -1e4], [0.0, 0.0, -np.inf]], np.float32)
    np.testing.assert_allclose(np.exp(log_softmax(logits)).sum(axis=-1), 1, atol=1e-6)
