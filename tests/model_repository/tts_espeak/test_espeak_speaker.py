"""The speaker against the installed eSpeak NG."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest
from espeak_process import EspeakFailed, wave_stream
from espeak_request import plain_text
from espeak_speaker import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Speaker
from espeak_voices import VOICES, words_per_minute

CONFIG = Path(__file__).parents[3] / "model_repository" / "tts_espeak" / "config.pbtxt"
SENTENCE = {
    "en": "Today I want to talk about the first people who went to the moon.",
    "es": "Hoy quiero hablar de las primeras personas que fueron a la luna.",
}


@pytest.fixture(scope="module")
def speaker():
    return Speaker(list(VOICES))


def spoken(speaker: Speaker, text: str, language: str, speed: float = 1.0) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.float32), *speaker.speak(text, language, speed)])


def pitch_hz(audio: np.ndarray) -> float:
    """Median of the strongest periodicity of 40 ms windows that sound, searched in 60..250 Hz."""
    pitches = []
    for window in audio[: len(audio) // 882 * 882].reshape(-1, 882):
        likeness = np.correlate(window, window, "full")[881:]
        lag = 88 + int(np.argmax(likeness[88:368]))
        if likeness[0] > 5 and likeness[lag] > 0.5 * likeness[0]:
            pitches.append(SAMPLE_RATE_HZ / lag)
    return float(np.median(pitches))


def test_the_config_states_the_languages_that_are_wired():
    assert f'"languages" value: {{ string_value: "{" ".join(VOICES)}" }}' in CONFIG.read_text()


@pytest.mark.parametrize("language", list(VOICES))
def test_every_language_speaks_at_a_sensible_level_without_clipping(speaker, language):
    audio = spoken(speaker, "Radio, animal, Madrid, 25.", language)
    assert len(audio) > SAMPLE_RATE_HZ
    assert 0.2 < np.abs(audio).max() < 0.95
    assert -30 < 20 * np.log10(audio.std()) < -15


def test_speech_begins_at_the_first_sample_and_ends_without_a_pause(speaker):
    audio = spoken(speaker, SENTENCE["es"], "es")
    loud = np.flatnonzero(np.abs(audio) > 0.003)
    assert loud[0] < 0.02 * SAMPLE_RATE_HZ
    assert len(audio) - loud[-1] < 0.05 * SAMPLE_RATE_HZ


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("speed", [0.75, 1.2, 1.5])
def test_speed_changes_the_time_as_asked_and_keeps_the_pitch(speaker, language, speed):
    natural = spoken(speaker, SENTENCE[language], language)
    changed = spoken(speaker, SENTENCE[language], language, speed)
    assert len(natural) / len(changed) == pytest.approx(speed, rel=0.08)
    assert pitch_hz(changed) == pytest.approx(pitch_hz(natural), rel=0.1)


def test_chunks_have_one_size_but_the_last(speaker):
    sizes = [len(chunk) for chunk in speaker.speak(SENTENCE["en"], "en", 1.0)]
    assert set(sizes[:-1]) == {CHUNK_SAMPLES}
    assert 0 < sizes[-1] <= CHUNK_SAMPLES


def test_markup_and_options_are_spoken_as_text(speaker):
    def length_s(text: str) -> float:
        return len(spoken(speaker, plain_text(text, 100), "en")) / SAMPLE_RATE_HZ

    assert length_s("-v de --help") > length_s("help")
    assert length_s("[[h@l'oU]]") > 2 * length_s("hello")  # the codes themselves, letter by letter
    assert length_s("<b>bold</b>") > 2 * length_s("bold")


def test_nothing_to_say_is_a_short_silence_and_no_text_is_nothing(speaker):
    assert not spoken(speaker, "...", "en").any()
    assert len(spoken(speaker, "...", "en")) > 0
    assert list(speaker.speak("", "en", 1.0)) == []


def test_a_language_that_is_not_wired_is_refused_with_those_there_are(speaker):
    with pytest.raises(InvalidRequest, match="LANGUAGE 'tlh' is not served; there are: en es"):
        speaker.require("tlh")


def test_a_language_without_a_voice_stops_the_start():
    with pytest.raises(ValueError, match="no voice for: tlh"):
        Speaker(["en", "tlh"])


def test_the_first_chunk_comes_while_espeak_still_speaks_and_closing_ends_it(speaker, monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *args, **kwargs: started.append(popen(*args, **kwargs)) or started[-1]
    )
    stream = speaker.speak("A long text. " * 300, "en", 1.0)
    next(stream)
    assert started[0].poll() is None  # the pipe cannot hold all of the speech
    stream.close()
    assert started[0].poll() is not None


def test_a_program_that_fails_is_reported(monkeypatch):
    monkeypatch.setattr("espeak_process._PROGRAM", "false")
    with pytest.raises(EspeakFailed):
        list(wave_stream("Hello", "en-us", 175))


@pytest.mark.parametrize("language", list(VOICES))
def test_half_and_natural_speed_are_asked_for_as_they_are(language):
    assert words_per_minute(VOICES[language], 1.0) == 175
    assert words_per_minute(VOICES[language], 0.5) == 88
