"""Random windows of sound, as log-mel spectrograms."""

import numpy as np

from export.signature import Tensors
from export.whisper.settings import WhisperSettings

_SILENCE = -1.0
"""A log-mel spectrogram's value where there is nothing, when the rest is loud (openai-whisper, audio.py: the greatest
value less 8, plus 4, over 4)."""
_LOUDEST = 1.5


def samples(settings: WhisperSettings, rng: np.random.Generator, batch: int) -> Tensors:
    """Draw log-mel windows [B, n_mels, frames]: noise in bands that come and go, of random length, then silence."""
    frames, mels = settings.frames, settings.n_mels
    coarse = rng.uniform(_SILENCE, _LOUDEST, (batch, mels // 8, frames // 20 + 1))
    smooth = coarse.repeat(8, axis=1).repeat(20, axis=2)[:, :, :frames]
    mel = smooth + rng.normal(0, 0.25, smooth.shape)
    sounding = rng.integers(frames // 30, frames + 1, batch)
    mel[np.arange(frames) >= sounding[:, None, None] + np.zeros((1, mels, 1), np.int64)] = _SILENCE
    return {"mel": mel.clip(_SILENCE, _LOUDEST).astype(np.float32)}
