"""Silence, music and noise hold no voice, whatever the network would make of them; speech does, also in bad sound."""

from collections.abc import Callable

import numpy as np
import pytest
from generate.whisper.traits import traits
from generate.whisper.voice import WEIGHTS, has_voice, voice_score
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.fakes.sounds import NOT_SPEECH, added_noise, music, reverberant

RATE_HZ = 16_000
SENTENCES = (
    "The committee will meet on Thursday to discuss the budget for the coming year.",
    "We have seen remarkable changes in how people travel.",
)
Say = Callable[[str], NDArray[np.float32]]


@pytest.mark.parametrize("name", sorted(NOT_SPEECH))
@pytest.mark.parametrize("seconds", [1.5, 4.0, 10.0])
def test_what_is_not_speech_has_no_voice(name: str, seconds: float) -> None:
    assert not has_voice(NOT_SPEECH[name](round(seconds * RATE_HZ)))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_speech_has_a_voice_at_any_level(say: Say, sentence: str) -> None:
    speech = say(sentence)
    assert all(has_voice((speech * level).astype(np.float32)) for level in (1.0, 0.1, 0.02))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_speech_is_not_lost_in_noise_music_or_a_large_room(say: Say, sentence: str) -> None:
    speech = say(sentence)
    assert has_voice(added_noise(speech, snr_db=10))
    assert has_voice(reverberant(speech, t60_s=0.6))
    under = music(len(speech)) * 0.3 * np.abs(speech).max()
    assert has_voice((speech + under).astype(np.float32))


def test_one_sentence_in_a_long_silence_is_heard(say: Say) -> None:
    speech = say(SENTENCES[1])
    around = np.zeros(10 * RATE_HZ, np.float32)
    assert has_voice(np.concatenate([around, speech, around]))


@pytest.mark.parametrize("word", ["Yes.", "Stop!", "Tomorrow."])
def test_a_single_word_is_heard(say: Say, word: str) -> None:
    assert has_voice(say(word))


@pytest.mark.parametrize("samples", [0, 1, 100, 1023, 1024, 3200])
def test_next_to_no_sound_is_no_voice(samples: int) -> None:
    assert voice_score(np.full(samples, 0.5, np.float32)) == float("-inf")


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60_000), st.integers(0, 2**32 - 1))
def test_the_score_of_any_sound_is_a_number_or_minus_infinity(samples: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    audio = (rng.standard_normal(samples) * 10 ** rng.uniform(-6, 0)).astype(np.float32)
    score = voice_score(audio)
    assert score == float("-inf") or np.isfinite(score)


def test_there_is_a_weight_for_each_trait() -> None:
    assert traits(NOT_SPEECH["white noise"](RATE_HZ)).shape == (1, len(WEIGHTS))
