from typing import Any

import numpy as np
import pytest
from generate.chooser import NoToken, Plan, plan
from generate.generation import DecodingOptions, Finish, GenerationRequest, Token
from generate.rows import RowChooser, draw
from hypothesis import given
from hypothesis import strategies as st

VOCAB = 3000


def plan_of(most: int = 5, eos: tuple[int, ...] = (1,), **options: Any) -> Plan:
    return plan(GenerationRequest(DecodingOptions(most, **options), prompt=(2,)), eos, 100)


def logits_of(**scores: float) -> np.ndarray:
    row = np.zeros((1, 10), np.float32)
    for name, score in scores.items():
        row[0, int(name[1:])] = score
    return row


def drawn(logits: np.ndarray, count: int, seed: int = 0, **options: Any) -> list[int]:
    generator = np.random.default_rng(seed)
    asked = DecodingOptions(1, **options)
    return [draw(logits, float(logits.max()), asked, generator) for _ in range(count)]


def test_greedy_takes_the_best_until_the_end_token() -> None:
    chooser = RowChooser(plan_of(logprobs=True))
    first = chooser.choose(logits_of(t4=2.0), None)
    assert first is not None
    assert first.tokens == [4]
    assert chooser.choose(logits_of(t1=3.0), None) is None
    [made] = chooser.hypotheses()
    assert made.tokens == (4, 1)
    assert made.text_tokens == (4,)
    assert made.finish is Finish.EOS
    expected = [2 - np.log(np.exp(2) + 9), 3 - np.log(np.exp(3) + 9)]
    np.testing.assert_allclose(made.logprobs, expected, rtol=1e-5)
    assert made.score == pytest.approx(sum(expected), rel=1e-5)


def test_the_length_ends_what_has_no_end_token() -> None:
    chooser = RowChooser(plan_of(most=2, eos=()))
    assert chooser.choose(logits_of(t1=1.0), None) is not None
    assert chooser.choose(logits_of(t1=1.0), None) is None
    assert chooser.hypotheses()[0].finish is Finish.LENGTH
    assert np.isnan(chooser.hypotheses()[0].score)


def test_every_token_is_told_to_the_listener_in_order() -> None:
    heard: list[Token] = []
    chooser = RowChooser(plan_of(logprobs=True), heard.append)
    chooser.choose(logits_of(t4=2.0), None)
    chooser.choose(logits_of(t1=3.0), None)
    assert [(each.index, each.token) for each in heard] == [(0, 4), (1, 1)]
    assert [each.logprob for each in heard] == pytest.approx(chooser.hypotheses()[0].logprobs, rel=1e-6)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_where_no_token_can_be_chosen_that_is_an_error(bad: float) -> None:
    with pytest.raises(NoToken):
        RowChooser(plan_of()).choose(np.full((1, 10), bad, np.float32), None)


def test_draws_follow_the_softmax_at_the_temperature() -> None:
    logits = (np.random.default_rng(1).standard_normal(VOCAB) * 2).astype(np.float32)
    counts = np.bincount(drawn(logits, 20_000, temperature=1.5), minlength=VOCAB) / 20_000
    shares = np.exp(logits.astype(np.float64) / 1.5)
    shares /= shares.sum()
    best = np.argsort(-shares)[:20]
    np.testing.assert_allclose(counts[best], shares[best], atol=0.006)
    assert counts[np.argsort(shares)[:1000]].sum() == pytest.approx(np.sort(shares)[:1000].sum(), abs=0.01)


@given(st.integers(0, 100), st.integers(1, 50))
def test_top_k_draws_among_the_k_best_only(seed: int, k: int) -> None:
    logits = np.random.default_rng(seed).standard_normal(VOCAB).astype(np.float32)
    best = set(np.argsort(-logits)[:k].tolist())
    assert set(drawn(logits, 30, seed, temperature=2.0, top_k=k)) <= best


@given(st.integers(0, 100), st.floats(0.05, 0.99), st.booleans())
def test_top_p_draws_among_the_fewest_that_reach_it(seed: int, top_p: float, flat: bool) -> None:
    logits = (np.random.default_rng(seed).standard_normal(VOCAB) * (0.1 if flat else 4)).astype(np.float32)
    shares = np.exp(logits.astype(np.float64))
    shares /= shares.sum()
    order = np.argsort(-shares)
    before = np.cumsum(shares[order]) - shares[order]
    allowed = set(order[before < top_p + 1e-4].tolist())
    assert set(drawn(logits, 20, seed, temperature=1.0, top_p=top_p)) <= allowed


def test_top_p_of_almost_nothing_is_greedy() -> None:
    logits = np.random.default_rng(3).standard_normal(VOCAB).astype(np.float32)
    assert set(drawn(logits, 10, temperature=5.0, top_p=1e-6)) == {int(logits.argmax())}


def test_one_number_of_the_stream_is_used_a_token_whatever_the_cut() -> None:
    generator, other = np.random.default_rng(5), np.random.default_rng(5)
    logits = np.random.default_rng(3).standard_normal(VOCAB).astype(np.float32)
    for options in ({}, {"top_k": 7}, {"top_p": 0.5}, {"top_k": 7, "top_p": 0.5}):
        draw(logits, float(logits.max()), DecodingOptions(1, temperature=1.0, **options), generator)
    other.random(4)
    assert generator.random() == other.random()


def test_several_hypotheses_are_drawn_independently_and_come_best_first() -> None:
    chooser = RowChooser(plan_of(most=3, eos=(), temperature=1.0, hypotheses=4, logprobs=True, seed=7))
    rng = np.random.default_rng(0)
    assert chooser.rows == 4
    assert chooser.choose(rng.standard_normal((1, VOCAB)).astype(np.float32), None) is not None
    for _ in range(2):
        chooser.choose(rng.standard_normal((4, VOCAB)).astype(np.float32), None)
    made = chooser.hypotheses()
    assert len({each.tokens for each in made}) == 4
    assert [each.score for each in made] == sorted((each.score for each in made), reverse=True)
