import math

import pytest
from generate.whisper.verdict import Attempt, Thresholds, best_of, is_silence, is_unspeakable, needs_another
from hypothesis import given
from hypothesis import strategies as st

USUAL = Thresholds()


def attempt(text: str = "hello", logprob: float = -0.3, no_speech: float = 0.0, length_s: float = 5.0) -> Attempt:
    return Attempt(
        tokens=(1, 2),
        text=text,
        mean_logprob=logprob,
        no_speech_probability=no_speech,
        temperature=0.0,
        length_s=length_s,
    )


def test_a_sure_text_that_does_not_repeat_itself_is_kept() -> None:
    assert not needs_another(attempt(), USUAL)
    assert not is_silence(attempt(), USUAL)


@pytest.mark.parametrize("logprob", [-1.01, -5.0])
def test_a_doubtful_text_is_made_again(logprob: float) -> None:
    assert needs_another(attempt(logprob=logprob), USUAL)


def test_a_text_that_repeats_itself_is_made_again() -> None:
    assert needs_another(attempt(text="and so on " * 20), USUAL)


def test_more_than_can_be_said_in_the_time_is_made_again() -> None:
    long = "".join(chr(0x4E00 + 7 * index) for index in range(131))  # nothing in it repeats itself
    assert not needs_another(attempt(text=long[:130], length_s=2.0), USUAL)
    assert needs_another(attempt(text=long, length_s=2.0), USUAL)
    assert is_unspeakable(attempt(text=long, length_s=2.0), USUAL)
    assert not is_unspeakable(attempt(text=long, length_s=3.0), USUAL)


def test_what_the_network_takes_for_silence_and_doubts_is_silence_and_not_made_again() -> None:
    silent = attempt(logprob=-1.2, no_speech=0.61)
    assert is_silence(silent, USUAL)
    assert not needs_another(silent, USUAL)


def test_a_sure_text_overrules_the_silence() -> None:
    assert not is_silence(attempt(logprob=-0.4, no_speech=0.95), USUAL)


@given(st.text(max_size=300))
def test_the_compression_ratio_is_openai_whispers(text: str) -> None:
    theirs = pytest.importorskip("whisper.utils").compression_ratio(text)
    assert math.isclose(attempt(text=text).compression_ratio, theirs)


@given(st.lists(st.tuples(st.floats(-500, 0), st.integers(0, 224)), min_size=1, max_size=8))
def test_the_best_of_several_is_the_most_probable_a_token(samples: list[tuple[float, int]]) -> None:
    sums, lengths = [total for total, _ in samples], [length for _, length in samples]
    kept = best_of(sums, lengths)
    assert all(sums[kept] / max(1, lengths[kept]) >= total / max(1, length) for total, length in samples)


def test_of_equals_the_first_is_kept() -> None:
    assert best_of([-2.0, -2.0, -4.0], [2, 2, 4]) == 0
