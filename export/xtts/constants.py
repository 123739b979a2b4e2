"""Constants of the original's sound processing that lie among the weights: `tts_xtts` has them in its own code.

They belong to the speaker encoder: the pre-emphasis filter, the window and the mel filters that its mel is made with.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.errors import CheckpointRefused
from export.xtts.settings import SPEAKER_BANDS

_PREFIX = "hifigan_decoder.speaker_encoder.torch_spec."
SAMPLE_RATE_HZ = 16000
TRANSFORM = 512
"""Samples of a Fourier transform."""
WINDOW = 400
PRE_EMPHASIS = 0.97
_CLOSE = 1e-4
"""Files were written by several releases of torchaudio, which round differently."""


def published_constants() -> dict[str, Tensor]:
    """Return the tensors by their published names; fp32.

    The filter is [1, 1, 2]: what the sample before counts, and the sample itself. Hamming window [400], periodic.
    Triangular mel filters [257, 64] from 0 to 8000 Hz, evenly spaced on the mel scale of HTK, not normalised.
    """
    found = {
        "0.filter": np.array([[[-PRE_EMPHASIS, 1]]]),
        "1.spectrogram.window": 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW),
        "1.mel_scale.fb": _mel_filters(),
    }
    return {_PREFIX + name: torch.from_numpy(array.astype(np.float32)) for name, array in found.items()}


def check_and_drop(state: dict[str, Tensor]) -> None:
    """Take the constants out; CheckpointRefused when one is there with other numbers, or is missing."""
    for key, expected in published_constants().items():
        found = state.pop(key, None)
        if found is None:
            raise CheckpointRefused(f"the checkpoint has no {key}")
        if found.shape != expected.shape or not torch.allclose(found.float(), expected, rtol=0, atol=_CLOSE):
            raise CheckpointRefused(f"{key} is not what XTTS-v2 hears voices with")


def with_constants(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put the constants among the weights."""
    return {**state, **published_constants()}


def _mel_filters() -> NDArray[np.float64]:
    edges = _hertz(np.linspace(0, _mel(SAMPLE_RATE_HZ / 2), SPEAKER_BANDS + 2))
    bins = np.linspace(0, SAMPLE_RATE_HZ / 2, TRANSFORM // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    return np.maximum(0, np.minimum(rising, falling))


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))
