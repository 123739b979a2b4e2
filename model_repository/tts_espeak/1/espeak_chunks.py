"""From eSpeak's WAV stream, in pieces of any length, to chunks of samples of one length. Pure."""

import struct
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
"""The canonical WAV header; the sizes are unknown while eSpeak streams."""

_BYTES_PER_SAMPLE = 2
_FULL_SCALE = 32768.0


class BadWave(Exception):
    """The stream is not mono 16-bit WAV."""


def wave_sample_rate_hz(header: bytes) -> int:
    """Read the sample rate out of a stream's first HEADER_BYTES bytes."""
    if len(header) != HEADER_BYTES:
        raise BadWave(f"the header has {len(header)} bytes")
    riff, _, wave, _, _, coding, channels, rate_hz, _, _, bits, data, _ = _HEADER.unpack(header)
    if (riff, wave, data, coding, channels, bits) != (b"RIFF", b"WAVE", b"data", 1, 1, 16):
        raise BadWave(f"not mono 16-bit PCM: {header!r}")
    return int(rate_hz)


HEADER_BYTES = _HEADER.size


def chunked(pieces: Iterable[bytes], chunk_samples: int) -> Iterator[NDArray[np.float32]]:
    """Turn int16 PCM in `pieces` of any length into float32 chunks in -1..1 as soon as each is full; the last is
    shorter. The zeros before the first sound (up to 39 ms) are left out, so that speech starts where the audio does.
    """
    waiting, begun = b"", False
    chunk_bytes = chunk_samples * _BYTES_PER_SAMPLE
    for piece in pieces:
        waiting += piece
        if not begun:
            waiting = _without_leading_zeros(waiting)
            begun = len(waiting) >= _BYTES_PER_SAMPLE
        while len(waiting) >= chunk_bytes:
            yield _samples(waiting[:chunk_bytes])
            waiting = waiting[chunk_bytes:]
    rest = waiting[: len(waiting) // _BYTES_PER_SAMPLE * _BYTES_PER_SAMPLE]
    if rest:
        yield _samples(rest)


def _without_leading_zeros(pcm: bytes) -> bytes:
    zeros = len(pcm) - len(pcm.lstrip(b"\0"))
    return pcm[zeros // _BYTES_PER_SAMPLE * _BYTES_PER_SAMPLE :]


def _samples(pcm: bytes) -> NDArray[np.float32]:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
