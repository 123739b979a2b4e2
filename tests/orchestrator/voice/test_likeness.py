import numpy as np
import pytest

from orchestrator.settings import VoiceSettings
from orchestrator.voice.clearness import is_clear
from orchestrator.voice.likeness import spectral_shape, unlikeness_db
from tests.fakes.sounds import NOT_SPEECH, RATE_HZ

VOICE = VoiceSettings()
SENTENCES = (
    "When I was a child we walked to school.",
    "Space is big, you will not believe it.",
    "Nobody minds at all.",
)


@pytest.fixture(scope="module")
def sentences(say):
    return [say(sentence) for sentence in SENTENCES]


def test_sentences_of_one_speaker_are_alike_however_loud(sentences):
    shapes = [spectral_shape(sound) for sound in sentences]
    assert unlikeness_db(shapes[0], shapes[1]) < VOICE.alike_db
    assert unlikeness_db(shapes[0], spectral_shape(sentences[0] * np.float32(0.1))) < 0.1


@pytest.mark.parametrize("name", sorted(NOT_SPEECH))
def test_music_and_noise_are_not_like_speech_or_not_as_clear(sentences, name):
    sound = NOT_SPEECH[name](3 * RATE_HZ)
    unlike = unlikeness_db(spectral_shape(sentences[0]), spectral_shape(sound)) > VOICE.alike_db
    assert unlike or not is_clear(sound, RATE_HZ, VOICE.clear_db)


def test_the_difference_is_a_distance(sentences):
    one, other = spectral_shape(sentences[0]), spectral_shape(sentences[2])
    assert unlikeness_db(one, one) == 0
    assert unlikeness_db(one, other) == unlikeness_db(other, one) > 0


def test_next_to_nothing_has_a_flat_shape():
    assert not spectral_shape(np.zeros(100, np.float32)).any()
