"""Cuts a recording that is longer than the network hears at once into windows. Pure: numpy only."""

import numpy as np
from numpy.typing import NDArray

_SEARCH_SHARE = 1 / 6
"""The cut lies in the last sixth of a window: of 30 s in the last 5."""

_FRAME = 320
"""20 ms at 16 kHz: over so much the level is taken, five such frames averaged: the middle of a pause."""

_SMOOTHED_FRAMES = 5


def windows(audio: NDArray[np.float32], window_samples: int) -> list[NDArray[np.float32]]:
    """Cut `audio` [n] into pieces of at most `window_samples`, at the quietest place near the end of each.

    Together the pieces are the recording: nothing is lost, nothing is heard twice. Without pauses words are cut.
    """
    pieces = []
    while len(audio) > window_samples:
        cut = _quietest(audio[:window_samples])
        pieces.append(audio[:cut])
        audio = audio[cut:]
    return [*pieces, audio]


def _quietest(window: NDArray[np.float32]) -> int:
    """Return where to cut: the middle of the quietest 100 ms in the last sixth; of equals the last."""
    first = len(window) - max(_FRAME, int(len(window) * _SEARCH_SHARE))
    searched = window[first:]
    frames = searched[: len(searched) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    width = min(_SMOOTHED_FRAMES, len(frames))
    energy = np.convolve(frames.var(axis=1), np.full(width, 1 / width), mode="valid")
    quietest = len(energy) - 1 - int(np.argmin(energy[::-1]))
    return first + (2 * quietest + width) * _FRAME // 2
