"""What the mouth does for a sound."""

import numpy as np
from lips_settings import LipsSettings
from mouth_speech import SHUT, SpeechReader, SpokenMouth

from client.contracts import Float32Array, MelSpec
from client.mel import mel_spectrogram
from tests.model_repository.lips_warp.lips_warp_cases import ah, ee, oo, parameters, settings, silence, vowel, window

READER = SpeechReader(settings().mel)


def mouth_of(audio: Float32Array) -> SpokenMouth:
    return READER.read(window(audio))


def test_digital_silence_shuts_the_mouth_exactly() -> None:
    assert READER.read(silence()) == SHUT


def test_the_louder_a_vowel_the_wider_the_mouth() -> None:
    openings = [mouth_of(ah(level)).opening for level in (0.01, 0.03, 0.1, 0.3, 0.9)]
    assert openings == sorted(openings)
    assert openings[-1] > openings[0] + 0.15


def test_ah_opens_wider_than_ee_and_oo() -> None:
    assert mouth_of(ah()).opening > 1.6 * mouth_of(ee()).opening
    assert mouth_of(ah()).opening > 1.6 * mouth_of(oo()).opening


def test_oo_draws_the_corners_in_and_ee_does_not() -> None:
    assert mouth_of(oo()).width < 0.97
    assert mouth_of(ee()).width > 0.99


def test_a_hiss_leaves_the_mouth_nearly_shut() -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.03, 8000).astype(np.float32)
    hiss = np.diff(noise, n=3, prepend=np.zeros(3, np.float32)).astype(np.float32)  # most of it lies above 4 kHz
    assert 0.0 < mouth_of(hiss).opening < 0.3 * mouth_of(ah()).opening


def test_lips_that_close_inside_a_word_show_as_a_dip() -> None:
    humming = vowel(250.0, 1000.0, level=0.08, seconds=0.08)
    word = np.concatenate([ah()[:4000], humming, ah()[:4000]])
    mel = mel_spectrogram(word, MelSpec())
    openings = [READER.read(mel[:, start : start + 16]).opening for start in range(6, 22)]
    assert min(openings) < 0.5 * max(openings)


def test_sound_that_comes_later_than_the_frame_leaves_the_mouth_shut() -> None:
    late = silence()
    late[:, 10:] = window(ah())[:, 10:]  # 125 ms on
    assert READER.read(late).opening < 0.01


def test_the_mouth_leads_its_sound_by_about_one_frame() -> None:
    def opening(first_column: int) -> float:
        onset = silence()
        onset[:, first_column:] = window(ah())[:, first_column:]
        return READER.read(onset).opening

    assert opening(0) > opening(3) > opening(6)
    assert opening(3) > 0.5 * opening(0)


def test_values_outside_the_mels_range_count_as_its_ends() -> None:
    assert READER.read(np.full((80, 16), -9.0, np.float32)) == SHUT


def test_another_scaling_of_the_mel_gives_the_same_mouth() -> None:
    doubled = LipsSettings.from_parameters({**parameters(), "mel_max_abs_value": "8"})
    mouth, same = READER.read(window(ah())), SpeechReader(doubled.mel).read(2.0 * window(ah()))
    assert np.allclose([mouth.opening, mouth.width], [same.opening, same.width], atol=1e-6)
