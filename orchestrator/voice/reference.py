"""A reference of a speaker's voice: some seconds of their own speech, as a TTS engine that clones voices takes them."""

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np
import soxr

from client.contracts import SPEAKER_SAMPLE_RATE_HZ
from orchestrator.media.clip import Mono
from orchestrator.messages import SPEECH_SAMPLE_RATE_HZ
from orchestrator.pcm import float_to_pcm

ID_DIGITS = 16
FADE_S = 0.005
"""At both ends of each stretch: rooms differ from one to the next, and a step would click."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What a dub's sentences are all spoken by. Never changed once it was made: engines know it by its bytes."""

    pcm: bytes
    """int16 mono, 22.05 kHz; empty: there is too little speech."""
    stretches_ms: tuple[tuple[int, int], ...]
    """Where it was taken from, in order: milliseconds of the source's clock as it was then, see `sound_starts_ms`."""
    sound_starts_ms: int
    """Where the clip's sound was taken to begin on that clock."""

    @property
    def id(self) -> str:
        """See `voice_id`."""
        return voice_id(self.pcm)

    @property
    def speech_s(self) -> float:
        """How much speech it holds."""
        return sum(end_ms - start_ms for start_ms, end_ms in self.stretches_ms) / 1000


def voice_id(pcm: bytes) -> str:
    """Return the name of a reference: the first digits of its SHA-256, hexadecimal; "" of none."""
    return hashlib.sha256(pcm).hexdigest()[:ID_DIGITS] if pcm else ""


def reference_pcm(pieces: Sequence[Mono]) -> bytes:
    """Join pieces of 16 kHz sound, each faded at its ends, into the PCM of a reference."""
    joined = np.concatenate([np.zeros(0, np.float32), *map(_faded, pieces)])
    return float_to_pcm(soxr.resample(joined, SPEECH_SAMPLE_RATE_HZ, SPEAKER_SAMPLE_RATE_HZ))


def _faded(piece: Mono) -> Mono:
    length = min(round(FADE_S * SPEECH_SAMPLE_RATE_HZ), len(piece) // 2)
    ramp = np.linspace(0.0, 1.0, length, endpoint=False, dtype=np.float32)
    gain = np.ones(len(piece), np.float32)
    gain[:length], gain[len(piece) - length :] = ramp, ramp[::-1]
    return piece * gain
