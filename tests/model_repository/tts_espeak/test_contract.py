"""tts_espeak in the embedded Triton, through the project's client."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from client.errors import EngineRefused
from client.tts import TritonTts
from orchestrator.timing.pace import estimated_s

pytestmark = pytest.mark.triton
SENTENCE = "Hoy quiero hablar de las primeras personas que fueron a la luna. "


@pytest.fixture(scope="module")
def tts(connection):
    return TritonTts(connection, "tts_espeak", timeout_s=60.0)


def test_the_engine_states_its_languages(tts):
    assert list(tts.languages()) == ["en", "es", "ca", "de", "fr", "it", "nl", "pt"]


def test_the_engine_states_its_pace_for_every_language_and_keeps_to_it(tts):
    pace = tts.pace()
    assert set(pace.letters_per_s) == set(tts.languages())
    spoken_s = sum(len(chunk.samples) for chunk in tts.speak(SENTENCE, "es")) / 22_050
    assert estimated_s(SENTENCE, "es", pace) == pytest.approx(spoken_s, rel=0.2)
    speed = pace.speed_range[1]
    assert sum(len(chunk.samples) for chunk in tts.speak(SENTENCE, "es", None, speed)) / 22_050 < 0.6 * spoken_s


@pytest.mark.parametrize("speaker_audio", [None, np.zeros(22_050, np.float32)])
def test_a_sentence_is_spoken_in_chunks(tts, speaker_audio):
    chunks = list(tts.speak(SENTENCE, "es", speaker_audio))
    assert {chunk.sample_rate_hz for chunk in chunks} == {22_050}
    assert len(chunks) > 5
    assert 2.0 < sum(len(chunk.samples) for chunk in chunks) / 22_050 < 6.0
    assert max(np.abs(chunk.samples).max() for chunk in chunks) < 0.95


def test_streams_interleave(tts):
    order = []

    def listen(name: str) -> None:
        for _ in tts.speak(SENTENCE * 70, "es"):
            order.append(name)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(listen, "ab"))
    changes = sum(before != after for before, after in itertools.pairwise(order))
    assert changes > 10


def test_closing_a_stream_frees_the_engine_for_the_next(tts):
    for _ in range(6):  # more than there are worker threads
        stream = tts.speak(SENTENCE * 70, "es")
        next(stream)
        stream.close()
    assert list(tts.speak("Hola.", "es"))


def test_no_text_ends_at_once_and_dots_are_a_silence(tts):
    assert list(tts.speak("", "es")) == []
    (chunk,) = tts.speak("...", "es")
    assert not chunk.samples.any()


@pytest.mark.parametrize(
    ("text", "language", "speed", "reason"),
    [
        ("Hola", "tlh", 1.0, "'tlh' is not served; there are: en es"),
        ("Hola", "es", 2.5, "SPEED must be one number"),
        ("Hola", "es", float("nan"), "SPEED must be one number"),
        ("x" * 5001, "es", 1.0, "at most 5000"),
    ],
)
def test_what_cannot_be_served_is_refused_and_the_stream_ends(tts, text, language, speed, reason):
    with pytest.raises(EngineRefused, match=reason):
        list(tts.speak(text, language, None, speed))


def test_broken_speaker_audio_is_refused(tts):
    with pytest.raises(EngineRefused, match="SPEAKER_AUDIO holds NaN"):
        list(tts.speak("Hola", "es", np.array([np.nan], np.float32)))
