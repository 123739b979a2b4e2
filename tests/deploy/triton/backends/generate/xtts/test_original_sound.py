"""What is heard of a speaker, and the frames that are spoken, are the original's to rounding: coqui-tts, torchaudio."""

import numpy as np
import pytest
import torch
import torchaudio
from generate.xtts.interp import interpolation
from generate.xtts.sound import conditioning_mel, speaker_mel, to_16k
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from TTS.encoder.models.base_encoder import BaseEncoder
from TTS.tts.models.xtts import wav_to_mel_cloning

LENGTHS = (22050 // 3 + 1, 22050, 4 * 22050, 6 * 22050 + 17, 30 * 22050)
LOUDNESS = (1e-4, 0.1, 1.0)
MEL = {"n_fft": 2048, "hop_length": 256, "win_length": 1024, "power": 2, "f_min": 0, "f_max": 8000, "n_mels": 80}
SPEAKER = {
    "fft_size": 512,
    "win_length": 400,
    "hop_length": 160,
    "sample_rate": 16000,
    "preemphasis": 0.97,
    "num_mels": 64,
}


def sound(samples, loudness):
    """Noise whose colour and strength change, with a hum: float32 [samples], -1..1."""
    rng = np.random.default_rng(samples)
    times = np.arange(samples) / 22050
    hum = np.sin(2 * np.pi * 140 * times) * (1 + np.sin(2 * np.pi * 3 * times))
    return (loudness * (0.3 * hum + 0.2 * rng.normal(size=samples))).clip(-1, 1).astype(np.float32)


def resampled(audio):
    return torchaudio.functional.resample(torch.from_numpy(audio)[None], 22050, 16000)[0].numpy()


@pytest.mark.parametrize("loudness", LOUDNESS)
@pytest.mark.parametrize("samples", LENGTHS)
def test_the_conditioning_encoder_hears_the_originals_mel(samples, loudness):
    audio = sound(samples, loudness)
    original = wav_to_mel_cloning(torch.from_numpy(audio)[None], mel_norms=torch.ones(80), sample_rate=22050, **MEL)
    np.testing.assert_allclose(conditioning_mel(audio), original[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("loudness", LOUDNESS)
@pytest.mark.parametrize("samples", LENGTHS)
def test_the_speaker_encoder_hears_the_originals_mel(samples, loudness):
    audio = resampled(sound(samples, loudness))
    original = BaseEncoder().get_torch_mel_spectrogram_class(SPEAKER)(torch.from_numpy(audio)[None])[0].numpy()
    mel = speaker_mel(audio)
    np.testing.assert_allclose(
        np.log(mel + 1e-6), np.log(original + 1e-6), rtol=0, atol=1e-3
    )  # as the network takes it


@pytest.mark.parametrize("loudness", LOUDNESS)
@pytest.mark.parametrize("samples", LENGTHS)
def test_sound_is_resampled_as_by_torchaudio(samples, loudness):
    audio = sound(samples, loudness)
    np.testing.assert_allclose(to_16k(audio), resampled(audio), rtol=0, atol=1e-4 * loudness)


@given(
    codes=st.integers(3, 120),
    speed=st.sampled_from((0.5, 0.8, 1.0, 1.1, 1.37, 2.0)),
    rate_hz=st.sampled_from((22050, 24000)),
    cut=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_any_stretch_of_frames_is_the_originals(codes, speed, rate_hz, cut):
    latents = np.random.default_rng(codes).normal(size=(codes, 6)).astype(np.float32)
    original = torch.from_numpy(latents).T[None]
    factors = [1 / speed, 4.0, rate_hz / 22050]
    for factor in factors:
        if factor != 1:
            original = functional.interpolate(original, scale_factor=[factor], mode="linear")
    whole = original[0].T.numpy()
    chain = interpolation(speed, 1024, 256, (22050, rate_hz))
    assert chain.length(codes) == len(whole)
    first, last = sorted(int(share * (len(whole) - 1)) for share in cut)
    np.testing.assert_allclose(chain.frames(latents, first, last + 1), whole[first : last + 1], rtol=0, atol=2e-4)


@given(codes=st.integers(12, 60), more=st.integers(1, 30), speed=st.sampled_from((0.5, 1.0, 1.37, 2.0)))
def test_settled_frames_are_the_same_whatever_codes_follow(codes, more, speed):
    latents = np.random.default_rng(codes).normal(size=(codes + more, 6)).astype(np.float32)
    chain = interpolation(speed, 1024, 256, (22050, 24000))
    settled = chain.settled(codes)
    assert settled <= chain.length(codes)
    assert settled >= chain.length(codes) - 6 / min(speed, 1)
    early, late = chain.frames(latents[:codes], 0, settled), chain.frames(latents, 0, settled)
    np.testing.assert_allclose(early, late, rtol=0, atol=0)
