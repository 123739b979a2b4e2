"""From the GPT's latents to the vocoder's frames, for any stretch of them. Pure.

The original interpolates linearly three times: latents by 1 / speed, then by 4 (a code is 1024 samples, a frame 256),
then by 24000 / 22050 (TTS/tts/models/xtts.py, TTS/tts/layers/xtts/hifigan_decoder.py). Here a stretch of frames is
computed from the few latents that it needs, in the original's own arithmetic (torch.nn.functional.interpolate with
scale_factor: 32-bit places, half a sample of offset, edges held).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Interpolation:
    """A chain of stretchings."""

    factors: tuple[float, ...]
    """One after the other, from the latents on."""

    def length(self, latents: int) -> int:
        """Return how many frames so many latents make."""
        for factor in self.factors:
            latents = int(latents * factor)
        return latents

    def settled(self, latents: int) -> int:
        """Return how many frames no further latent can change."""
        for factor in self.factors:
            latents = _settled(latents, factor)
        return latents

    def frames(self, latents: Floats, first: int, last: int) -> Floats:
        """Return the frames first..last - 1 of all that `latents` [n, width] make: [last - first, width]."""
        counts = [len(latents)]
        for factor in self.factors:
            counts.append(int(counts[-1] * factor))
        return _frames(latents, counts, self.factors, first, last)


def interpolation(speed: float, code_stride: int, hop: int, rates_hz: tuple[int, int]) -> Interpolation:
    """Return the original's chain for a speed (1 = natural); `rates_hz`: of the codes' sound, and of the output."""
    factors = [] if speed == 1.0 else [1.0 / speed]
    factors.append(code_stride / hop)
    if rates_hz[0] != rates_hz[1]:
        factors.append(rates_hz[1] / rates_hz[0])
    return Interpolation(tuple(factors))


def _frames(latents: Floats, counts: Sequence[int], factors: Sequence[float], first: int, last: int) -> Floats:
    """The last of `factors` made counts[-1] rows; return rows first..last - 1 of them."""
    if not factors:
        return latents[first:last]
    if counts[-1] == counts[-2]:  # so few that the factor adds none: torch copies them
        return _frames(latents, counts[:-1], factors[:-1], first, last)
    below, above, share = _places(np.arange(first, last), factors[-1], counts[-2])
    least, most = int(below.min()), int(above.max()) + 1
    rows = _frames(latents, counts[:-1], factors[:-1], least, most)
    between: Floats = rows[below - least] * (1 - share)[:, None] + rows[above - least] * share[:, None]
    return between


def _places(
    indexes: NDArray[np.int64], factor: float, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return for each row of the result the two rows that it lies between, and how near it is to the second."""
    places = np.maximum(np.float32(1.0 / factor) * (indexes.astype(np.float32) + np.float32(0.5)) - np.float32(0.5), 0)
    below = places.astype(np.int64)
    above = np.minimum(below + 1, count - 1)
    return below, above, (places - below).astype(np.float32)


def _settled(count: int, factor: float) -> int:
    """Return how many leading rows of the result lie between rows that are there already."""
    if int(count * factor) == count:
        return 0 if factor != 1 else count
    indexes = np.arange(int(count * factor))
    below, _, _ = _places(indexes, factor, count)
    return int(np.searchsorted(below, count - 1))
