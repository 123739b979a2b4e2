"""stt_pocketsphinx in the embedded Triton, through the project's client."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from client.errors import EngineRefused
from client.stt import TritonStt

pytestmark = pytest.mark.triton
SENTENCES = ("Good morning everyone", "I have twenty-five dollars and two children")


@pytest.fixture(scope="module")
def stt(connection):
    return TritonStt(connection, "stt_pocketsphinx", timeout_s=60.0)


@pytest.mark.parametrize("language", ["", "en"])
def test_a_clear_voice_is_transcribed_word_for_word(stt, say, language):
    heard = stt.transcribe(say("Today I want to talk about the first people who went to the moon."), language)
    assert heard.text == "Today I want to talk about the first people who went to the moon"
    assert heard.language == "en"
    assert heard.no_speech_probability < 0.3
    assert -0.5 < heard.mean_logprob <= 0.0


def test_the_same_recording_is_heard_alike_whatever_came_before(stt, say):
    first, second = (say(sentence) for sentence in SENTENCES)
    alone = stt.transcribe(first)
    other = stt.transcribe(second)
    noise = np.random.default_rng(0).normal(0, 0.3, 16_000).astype(np.float32)
    stt.transcribe(noise)
    assert stt.transcribe(first) == alone
    assert stt.transcribe(second) == other
    assert (alone.text, other.text) == SENTENCES


def test_quiet_speech_in_digital_silence_is_heard_as_well(stt, say):
    silence = np.zeros(24_000, np.float32)
    audio = np.concatenate([silence, say(SENTENCES[0]) * np.float32(0.05), silence])
    heard = stt.transcribe(audio)
    assert heard.text == SENTENCES[0]
    assert heard.no_speech_probability < 0.3


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(32_000),
        np.random.default_rng(1).normal(0, 0.1, 32_000),
        np.random.default_rng(2).normal(0, 0.002, 32_000),
        0.3 * np.sin(2 * np.pi * 50 * np.arange(32_000) / 16_000),
        np.full(1, 0.5),
    ],
    ids=["digital silence", "white noise", "quiet white noise", "mains hum", "one sample"],
)
def test_what_is_not_speech_gives_no_text(stt, audio):
    heard = stt.transcribe(audio.astype(np.float32))
    assert heard.text == ""
    assert heard.no_speech_probability > 0.9


@pytest.mark.parametrize(
    ("audio", "language", "reason"),
    [
        (np.zeros(0), "en", "empty"),
        (np.full(10, np.nan), "en", "NaN"),
        (np.full(10, np.inf), "en", "NaN or infinite"),
        (np.zeros(30 * 16_000 + 1), "en", "at most 30 s"),
        (np.full(10, 1000.0), "en", "-1..1"),
        (np.ones(10), "es", "'es' is not served; there are: en"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(stt, audio, language, reason):
    with pytest.raises(EngineRefused, match=reason):
        stt.transcribe(audio.astype(np.float32), language)


def test_a_refused_request_leaves_its_neighbours_alone(stt, say):
    good, bad = say(SENTENCES[0]), np.full(10, np.nan, np.float32)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(stt.transcribe, audio) for audio in (good, bad, good, bad)]
        errors = [call.exception() for call in calls]
    assert [type(error) for error in errors] == [type(None), EngineRefused, type(None), EngineRefused]
    assert {calls[0].result().text, calls[2].result().text} == {SENTENCES[0]}
