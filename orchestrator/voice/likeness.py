"""How much two stretches of sound are alike in the shape of their spectrum: same voice, same place? Pure.

Coarse, and meant so: it keeps music and other places out of a reference, and about half of all other speakers.
docs/SOUND.md has the figures.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from orchestrator.media.clip import Mono
from orchestrator.messages import SPEECH_SAMPLE_RATE_HZ

WINDOW = 512
"""Samples of 16 kHz sound: 32 ms."""
_EDGES_HZ = np.geomspace(150.0, 3800.0, 17)
"""Of 16 bands: what a telephone passes on, so that the recording's own limits do not matter much."""
_EDGE_BINS = np.round(_EDGES_HZ * WINDOW / SPEECH_SAMPLE_RATE_HZ).astype(int)
_TINY = 1e-10

Shape = NDArray[np.float64]
"""[16]: dB of each band, their mean taken off, so that loudness does not count."""


def spectral_shape(sound: Mono) -> Shape:
    """Return the shape of the louder half of `sound` ([n], 16 kHz); flat for less than one window."""
    frames = sound[: len(sound) - len(sound) % WINDOW].reshape(-1, WINDOW)
    if not len(frames):
        return np.zeros(len(_EDGE_BINS) - 1)
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2
    whole = power.sum(axis=1)
    spectrum = power[whole >= np.median(whole)].mean(axis=0)
    bands = [spectrum[low : max(low + 1, high)].mean() for low, high in itertools.pairwise(_EDGE_BINS)]
    levels = 10.0 * np.log10(np.array(bands) + _TINY)
    shape: Shape = levels - levels.mean()
    return shape


def unlikeness_db(one: Shape, other: Shape) -> float:
    """Return the root mean square of the difference; two sentences of one speaker differ by 2 to 6 dB."""
    return float(np.sqrt(np.mean((one - other) ** 2)))
