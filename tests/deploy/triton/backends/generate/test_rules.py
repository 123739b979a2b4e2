from typing import Any

import numpy as np
import pytest
from generate.generation import DecodingOptions
from generate.rules import Rules

VOCAB = 10


def allowed(generated: list[int], most: int = 8, eos: tuple[int, ...] = (1,), **options: Any) -> list[int]:
    rules = Rules(DecodingOptions(8, **options), (2,), eos, most)
    logits = np.ones(VOCAB, np.float32)
    before = logits.copy()
    rules.apply(generated, logits)
    assert rules.acts(len(generated)) or np.array_equal(before, logits), "it said that it would change nothing"
    return np.flatnonzero(np.isfinite(logits)).tolist()


def test_without_rules_everything_is_allowed_and_none_is_said_to_act() -> None:
    assert allowed([]) == list(range(VOCAB))
    assert not Rules(DecodingOptions(8), (2,), (1,), 8).acts(0)


def test_suppressed_tokens_never_come_and_begin_suppressed_ones_not_first() -> None:
    options = {"suppress": (3, 4), "begin_suppress": (5,)}
    assert allowed([], **options) == [0, 1, 2, 6, 7, 8, 9]
    assert allowed([6], **options) == [0, 1, 2, 5, 6, 7, 8, 9]


def test_many_suppressed_tokens_are_suppressed_as_few_are() -> None:
    assert allowed([], suppress=(0, 2, 4, 5, 6, 8)) == [1, 3, 7, 9]


def test_the_end_is_forbidden_until_enough_tokens_are_there() -> None:
    assert 1 not in allowed([7], min_new_tokens=2)
    assert 1 in allowed([7, 7], min_new_tokens=2)
    assert allowed([], eos=(), min_new_tokens=2) == list(range(VOCAB))


def test_a_forced_token_is_the_only_one_left_at_its_index() -> None:
    assert allowed([], forced={0: 4, 2: 6}) == [4]
    assert allowed([4], forced={0: 4, 2: 6}) == list(range(VOCAB))
    assert allowed([4, 9], forced={0: 4, 2: 6}, suppress=(6,)) == [6]


def test_a_forced_end_takes_the_last_place_there_is() -> None:
    assert allowed([4, 4], most=3, forced_eos=True) == [1]
    assert allowed([4], most=3, forced_eos=True) == list(range(VOCAB))


def test_the_repetition_penalty_weakens_what_was_seen_prompt_included_once_however_often() -> None:
    rules = Rules(DecodingOptions(8, repetition_penalty=2.0), (2, 2), (1,), 8)
    logits = np.array([1, 1, 4, -1, 1, 1, 1, 1, 1, 1], np.float32)
    rules.apply([3, 3, 3], logits)
    assert logits.tolist() == [1, 1, 2, -2, 1, 1, 1, 1, 1, 1]


def test_a_rule_of_the_familys_own_sees_the_new_tokens_and_comes_last() -> None:
    def only_after(generated: Any, logits: Any) -> None:
        if list(generated) == [9]:
            logits[0] = np.inf

    rules = Rules(DecodingOptions(8, suppress=(0,), rules=(only_after,)), (2,), (1,), 8)
    logits = np.ones(VOCAB, np.float32)
    rules.apply([9], logits)
    assert logits[0] == np.inf


def test_it_says_when_it_does_more_than_forbid() -> None:
    def says(count: int, **options: Any) -> bool:
        return Rules(DecodingOptions(8, **options), (2,), (1,), 8).only_forbids(count)

    assert says(0, suppress=(3,), begin_suppress=(4,), min_new_tokens=2)
    assert not says(0, repetition_penalty=1.5)
    assert not says(1, forced={1: 5})
    assert says(0, forced={1: 5})


@pytest.mark.parametrize("options", [{"suppress": (3,)}, {"repetition_penalty": 1.5}, {"rules": (lambda *_: None,)}])
def test_rules_without_an_end_always_act(options: dict[str, Any]) -> None:
    assert Rules(DecodingOptions(8, **options), (2,), (1,), 8).acts(7)


def test_tokens_that_count_as_seen_are_penalised_from_the_start() -> None:
    options = DecodingOptions(5, repetition_penalty=10.0, seen=(1, 1, 4))
    logits = np.array([1.0, 2.0, -1.0, 3.0, -4.0], np.float32)
    Rules(options, (3,), (0,), 5).apply([], logits)
    np.testing.assert_allclose(logits, [1.0, 0.2, -1.0, 0.3, -40.0])
