"""The parity with transformers itself is the exporter's gate; here are the laws that a reader can check."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from generate.beams import BeamChooser
from generate.chooser import NoToken, plan
from generate.generation import DecodingOptions, Finish, GenerationRequest, Hypothesis
from hypothesis import given
from hypothesis import strategies as st

VOCAB, EOS = 4, 1
Model = Callable[[Sequence[int]], np.ndarray]


def model(seed: int) -> Model:
    """Logits [VOCAB] for any sequence of new tokens, random but fixed."""

    def logits(tokens: Sequence[int]) -> np.ndarray:
        return np.random.default_rng([seed, len(tokens), *tokens]).standard_normal(VOCAB).astype(np.float32) * 2

    return logits


def search(logits: Model, most: int, vocab: int = VOCAB, **options: Any) -> tuple[Hypothesis, ...]:
    request = GenerationRequest(DecodingOptions(most, **options), prompt=(2,))
    chooser = BeamChooser(plan(request, (EOS,), 100))
    rows: list[tuple[int, ...]] = [()]
    while (choice := chooser.choose(np.stack([logits(row) for row in rows]), None)) is not None:
        assert len(choice.tokens) == chooser.rows
        origins = choice.origins or range(len(rows))
        rows = [(*rows[origin], token) for origin, token in zip(origins, choice.tokens, strict=True)]
    return chooser.hypotheses()


def everything(logits: Model, most: int, length_penalty: float) -> list[tuple[float, tuple[int, ...]]]:
    """Every finished sequence with its penalised score, best first."""
    found = []
    for length in range(1, most + 1):
        for tokens in product(range(VOCAB), repeat=length):
            ends = tokens[-1] == EOS
            if EOS in tokens[:-1] or (not ends and length < most):
                continue
            total = 0.0
            for index, token in enumerate(tokens):
                row = logits(tokens[:index]).astype(np.float64)
                total += row[token] - np.log(np.exp(row).sum())
            found.append((total / length**length_penalty, tokens))
    return sorted(found, reverse=True)


@given(st.integers(0, 10_000), st.integers(1, 3), st.sampled_from([0.0, 0.6, 1.0, 2.0]))
def test_with_beams_for_all_sequences_the_search_finds_the_best_there_are(
    seed: int, most: int, length_penalty: float
) -> None:
    beams = VOCAB**3
    made = search(model(seed), most, beams=beams, hypotheses=3, length_penalty=length_penalty, early_stopping=None)
    best = everything(model(seed), most, length_penalty)
    assert [each.tokens for each in made] == [tokens for _, tokens in best[:3]]
    assert [each.score for each in made] == pytest.approx([score for score, _ in best[:3]], abs=1e-4)


@given(st.integers(0, 10_000))
def test_scores_are_the_penalised_sums_of_the_tokens_logprobs(seed: int) -> None:
    for each in search(model(seed), 6, beams=3, hypotheses=3, length_penalty=0.7):
        assert each.logprobs is not None
        assert each.score == pytest.approx(float(each.logprobs.sum()) / len(each.tokens) ** 0.7, rel=1e-4)
        assert each.finish is (Finish.EOS if each.tokens[-1] == EOS else Finish.LENGTH)


@given(st.integers(0, 10_000))
def test_more_beams_never_end_with_a_worse_first_token_than_certain(seed: int) -> None:
    """With one new token the best beam is the greedy choice."""
    [made] = search(model(seed), 1, beams=2)
    assert made.tokens == (int(model(seed)(()).argmax()),)


def test_early_stopping_ends_with_the_first_finished_beams() -> None:
    steps = []

    def logits(tokens: Sequence[int]) -> np.ndarray:
        steps.append(len(tokens))
        return np.log(np.array([0.3, 0.4, 0.2, 0.1], np.float32))

    made = search(logits, 50, beams=2, hypotheses=2, early_stopping=True)
    assert all(each.finish is Finish.EOS for each in made)
    early = max(steps)
    steps.clear()
    search(logits, 50, beams=2, hypotheses=2, early_stopping=None, length_penalty=2.0)
    assert early < max(steps)


def test_a_forced_token_comes_first_in_every_beam_and_costs_nothing() -> None:
    made = search(model(3), 4, beams=3, hypotheses=3, forced={0: 3})
    assert {each.tokens[0] for each in made} == {3}
    assert all(each.logprobs is not None and each.logprobs[0] == 0 for each in made)
    assert len({each.tokens for each in made}) == 3


def test_suppressed_tokens_are_in_no_beam() -> None:
    for each in search(model(5), 5, beams=3, hypotheses=3, suppress=(0, 2)):
        assert not {0, 2} & set(each.tokens)


def test_where_the_rules_leave_fewer_tokens_than_beams_the_search_goes_on() -> None:
    made = search(model(5), 3, beams=3, hypotheses=1, suppress=(0, 2, 3), min_new_tokens=0)
    assert made[0].tokens == (EOS,)


def test_where_no_token_can_be_chosen_that_is_an_error() -> None:
    with pytest.raises(NoToken):
        search(lambda tokens: np.full(VOCAB, np.nan, np.float32), 3, beams=2)
    with pytest.raises(NoToken):
        search(model(1), 3, beams=2, suppress=tuple(range(VOCAB)))
