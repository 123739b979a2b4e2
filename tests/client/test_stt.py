import numpy as np
import pytest

from client.contracts import SttEngine, Transcription
from client.errors import ContractViolation, EngineFault, EngineRefused, EngineUnavailable
from client.triton import TritonStt

pytestmark = pytest.mark.triton

AUDIO = np.full(1_600, 0.5, np.float32)


@pytest.fixture
def stt(connection) -> SttEngine:
    return TritonStt(connection, "stt_moods", timeout_s=20)


def test_a_transcript_carries_all_that_the_contract_names(stt):
    assert stt.transcribe(AUDIO, "en") == Transcription(
        text="hello", language="en", no_speech_probability=pytest.approx(0.1), mean_logprob=pytest.approx(-0.2)
    )


def test_the_audio_arrives_unchanged(stt):
    assert stt.transcribe(AUDIO, "samples").text == "1600 samples, mean 0.500"


@pytest.mark.parametrize(
    ("mood", "kind", "words"),
    [
        ("refuse", EngineRefused, "AUDIO holds NaN"),
        ("raise", EngineFault, "the model broke"),
        ("fault", EngineFault, "out of luck"),
        ("away", EngineUnavailable, "leaving"),
        ("nan", ContractViolation, "MEAN_LOGPROB holds NaN"),
        ("positive", ContractViolation, "MEAN_LOGPROB is 0.5"),
        ("improbable", ContractViolation, "NO_SPEECH_PROBABILITY is 1.5"),
        ("binary", ContractViolation, "TEXT is not UTF-8"),
        ("nameless", ContractViolation, "LANGUAGE is ''"),
    ],
)
def test_what_goes_wrong_is_told_apart(stt, mood, kind, words):
    with pytest.raises(kind, match=words) as caught:
        stt.transcribe(AUDIO, mood)
    assert type(caught.value) is kind and caught.value.model == "stt_moods"


@pytest.mark.parametrize("audio", [np.zeros(10, np.int16), np.zeros((1, 10), np.float32), np.zeros(10)])
def test_audio_of_the_wrong_kind_never_leaves(stt, audio):
    with pytest.raises(ValueError, match="float32"):
        stt.transcribe(audio)
