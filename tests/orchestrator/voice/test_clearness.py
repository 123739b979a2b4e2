import numpy as np
import pytest

from orchestrator.settings import VoiceSettings
from orchestrator.voice.clearness import above_floor_db, clipped_share, is_clear, is_usable
from tests.fakes.sounds import RATE_HZ, Sound, added_noise, music

CLEAR_DB = VoiceSettings().clear_db
SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody minds."


@pytest.fixture(scope="module")
def speech(say) -> Sound:
    sound = say(SENTENCE)
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0] : loud[-1]]


def test_speech_in_a_quiet_room_is_clear(speech):
    assert is_clear(speech, RATE_HZ, CLEAR_DB)
    assert is_clear(added_noise(speech, 25.0), RATE_HZ, CLEAR_DB)


def test_speech_in_noise_or_over_music_is_not(speech):
    assert not is_clear(added_noise(speech, 5.0), RATE_HZ, CLEAR_DB)
    level = np.sqrt(np.mean(speech**2)) / np.sqrt(np.mean(music(len(speech)) ** 2))
    assert not is_clear((speech + 0.5 * level * music(len(speech))).astype(np.float32), RATE_HZ, CLEAR_DB)


def test_clipped_speech_is_not_clear(speech):
    clipped = np.clip(speech * np.float32(3.0 / np.abs(speech).max()), -1.0, 1.0)
    assert clipped_share(clipped) > 0.01
    assert not is_clear(clipped, RATE_HZ, CLEAR_DB)


def test_a_quiet_recording_of_the_same_is_as_clear(speech):
    assert above_floor_db(speech * np.float32(0.05), RATE_HZ) == pytest.approx(above_floor_db(speech, RATE_HZ), abs=0.1)


def test_silence_and_speech_that_is_clipped_throughout_are_of_no_use(speech):
    assert is_usable(speech, RATE_HZ)
    assert is_usable(added_noise(speech, 0.0), RATE_HZ)
    assert not is_usable(np.clip(speech * np.float32(100), -1, 1), RATE_HZ)
    assert not is_usable(speech * np.float32(0.001), RATE_HZ)
    assert not is_usable(np.zeros(RATE_HZ, np.float32), RATE_HZ)


def test_next_to_nothing_is_not_clear():
    assert not is_usable(np.zeros(0, np.float32), RATE_HZ)
    assert not is_clear(np.zeros(0, np.float32), RATE_HZ, CLEAR_DB)
    assert not is_clear(np.full(100, 0.1, np.float32), RATE_HZ, CLEAR_DB)
