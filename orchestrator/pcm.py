"""Sound on the wire: int16 little-endian mono, and the streaming resampler that makes it."""

from typing import Literal

import numpy as np
import soxr

from client.contracts import Float32Array
from orchestrator.errors import MalformedMessage

FULL_SCALE = 32768.0
"""int16 value of 1.0."""

BYTES_PER_SAMPLE = 2


def pcm_to_float(pcm: bytes) -> Float32Array:
    """Return samples in -1..1, shape [n]; raises MalformedMessage for half a sample."""
    if len(pcm) % BYTES_PER_SAMPLE:
        raise MalformedMessage(f"{len(pcm)} bytes are no whole number of int16 samples")
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(FULL_SCALE)


def float_to_pcm(samples: Float32Array) -> bytes:
    """Encode samples in -1..1, shape [n]; what is louder is clipped."""
    scaled = np.rint(samples * np.float32(FULL_SCALE))
    pcm: bytes = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()
    return pcm


class StreamResampler:
    """Resamples a stream piece by piece; the pieces joined equal the whole resampled at once, so nothing clicks."""

    def __init__(self, from_hz: int, to_hz: int, quality: Literal["HQ", "VHQ"] = "HQ") -> None:
        """Start a stream of mono float32 samples."""
        self._stream = None if from_hz == to_hz else soxr.ResampleStream(from_hz, to_hz, 1, "float32", quality)

    def push(self, samples: Float32Array) -> Float32Array:
        """Take a piece of any length; return what is ready, which lags a few milliseconds behind."""
        return samples if self._stream is None else self._resample(samples, last=False)

    def finish(self) -> Float32Array:
        """Return the rest; the stream is over."""
        nothing = np.zeros(0, np.float32)
        return nothing if self._stream is None else self._resample(nothing, last=True)

    def _resample(self, samples: Float32Array, *, last: bool) -> Float32Array:
        assert self._stream is not None
        return np.asarray(self._stream.resample_chunk(samples, last=last), np.float32)
