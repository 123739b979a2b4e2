import numpy as np
import pytest
from generate.whisper.mel import HOP, log_mel, mel_filters, mel_power
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

FRAMES = 3000
whisper_audio = pytest.importorskip("whisper.audio")


def signal(kind: str, seed: int, samples: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(samples)
    if kind == "noise":
        return (noise * 10 ** rng.uniform(-4, -0.7)).astype(np.float32)
    if kind == "buzz":
        time_s = np.arange(samples) / 16_000
        return (0.3 * np.sign(np.sin(2 * np.pi * rng.uniform(80, 300) * time_s)) + 0.01 * noise).astype(np.float32)
    return np.clip(np.cumsum(noise) * 0.01, -1, 1).astype(np.float32)  # a deep rumble


@pytest.mark.parametrize("n_mels", [80, 128])
@pytest.mark.parametrize("samples", [1, 159, 160, 201, 40_000, 160_000, 480_000])
@pytest.mark.parametrize("kind", ["noise", "buzz", "rumble"])
def test_equals_openai_whisper_at_every_length(kind: str, samples: int, n_mels: int) -> None:
    audio = signal(kind, samples + n_mels, samples)
    theirs = whisper_audio.log_mel_spectrogram(whisper_audio.pad_or_trim(audio), n_mels).numpy()
    ours = log_mel(audio, n_mels, FRAMES)
    assert ours.dtype == np.float32 and ours.shape == theirs.shape == (n_mels, FRAMES)
    assert np.abs(ours - theirs).max() <= 1e-4


def test_equals_transformers_with_a_tone_and_with_speech(say) -> None:
    """In the noise beside a pure tone the references, which round to float32, differ from each other by up to 2e-4."""
    transformers = pytest.importorskip("transformers")
    time_s = np.arange(80_000) / 16_000
    for audio in (0.5 * np.sin(2 * np.pi * 1234.5 * time_s).astype(np.float32), say("Nothing is lost here.")):
        for n_mels in (80, 128):
            extractor = transformers.WhisperFeatureExtractor(feature_size=n_mels)
            theirs = extractor(audio, sampling_rate=16_000, return_tensors="np").input_features[0]
            assert np.abs(log_mel(audio, n_mels, FRAMES) - theirs).max() <= 1e-4


@pytest.mark.parametrize("n_mels", [80, 128])
def test_the_filters_are_those_that_openai_whisper_carries(n_mels: int) -> None:
    assert np.abs(mel_filters(n_mels) - whisper_audio.mel_filters("cpu", n_mels).numpy()).max() < 1e-8


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4000), st.integers(0, 4000), st.integers(0, 2**32 - 1))
def test_silence_behind_the_recording_changes_nothing(samples: int, silence: int, seed: int) -> None:
    audio = signal("noise", seed, samples)
    longer = np.concatenate([audio, np.zeros(silence, np.float32)])
    assert np.allclose(log_mel(audio, 80, 60), log_mel(longer, 80, 60), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(400, 3000), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_sound_that_starts_some_frames_later_is_the_same_picture_shifted(samples: int, later: int, seed: int) -> None:
    audio = signal("noise", seed, samples)
    shifted = np.concatenate([np.zeros((later + 2) * HOP, np.float32), audio])
    base = np.concatenate([np.zeros(2 * HOP, np.float32), audio])
    assert np.allclose(mel_power(shifted, 80, 60)[:, later:], mel_power(base, 80, 60)[:, : 60 - later], atol=1e-9)


def test_more_samples_than_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="161 samples do not fit"):
        log_mel(np.zeros(161, np.float32), 80, 1)
