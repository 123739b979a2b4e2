"""Checks the audio of a request and turns it into the samples that the decoder takes. Pure: numpy only."""

import numpy as np
from engine_kit.refusals import InvalidRequest, require_finite
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000

_FULL_SCALE_LIMIT = 2.0
"""Resamplers overshoot 1.0 a little; far beyond it the samples are integers, not -1..1."""

_PEAK = 0.7
"""Peak after normalising: the decoder's dither below is relative to it."""

_DITHER_RMS = 0.001
"""60 dB below full scale. Digital silence inside a recording upsets the decoder's cepstral mean: without dither, 32
of 118 words around which 2.5 s of zeros lay went wrong or missing, with it 10, as many as without the zeros."""


def check_audio(audio: NDArray[np.float32], max_audio_s: float) -> None:
    """Refuse audio that is empty, too long, not finite or not in -1..1."""
    if not audio.size:
        raise InvalidRequest("AUDIO is empty")
    if audio.size > max_audio_s * SAMPLE_RATE_HZ:
        raise InvalidRequest(f"AUDIO lasts {audio.size / SAMPLE_RATE_HZ:.2f} s, at most {max_audio_s:g} s are taken")
    require_finite(audio, "AUDIO")
    peak = float(np.abs(audio).max())
    if peak > _FULL_SCALE_LIMIT:
        raise InvalidRequest(f"AUDIO must lie in -1..1, its peak is {peak:g}")


def decoder_samples(audio: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return audible audio [n] as int16 at a standard level with a trace of noise: the same in, the same out."""
    level = audio / np.abs(audio).max() * _PEAK
    dither = np.random.default_rng(0).standard_normal(len(audio)) * _DITHER_RMS
    return np.round(np.clip(level + dither, -1.0, 1.0) * 32767).astype(np.int16)
