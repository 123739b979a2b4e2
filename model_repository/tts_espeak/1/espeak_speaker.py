"""Speaks a text in a language, chunk by chunk."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

import numpy as np
from engine_kit.refusals import require_one_of
from espeak_chunks import HEADER_BYTES, chunked, wave_sample_rate_hz
from espeak_process import installed_voices, wave_stream
from espeak_voices import VOICES, words_per_minute
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 22_050
"""eSpeak's own; checked in every stream."""

CHUNK_SAMPLES = 5_512
"""0.25 s: small enough to begin playing at once, large enough that the calls weigh nothing."""

_NOTHING_TO_SAY_SAMPLES = 1_102
"""50 ms of silence: the answer to a text such as "..." in which nothing is spoken."""


class Speaker:
    """Speaks the languages named."""

    def __init__(self, languages: Sequence[str]) -> None:
        """ValueError names the languages that are not wired, or whose voice is not installed."""
        installed = installed_voices()
        missing = [code for code in languages if code not in VOICES or VOICES[code].name not in installed]
        if missing:
            raise ValueError(f"espeak-ng has no voice for: {' '.join(missing)}")
        self._languages = tuple(languages)

    def require(self, language: str) -> None:
        """Raise InvalidRequest, naming the languages there are, when `language` is none of them."""
        require_one_of(language, "LANGUAGE", self._languages)

    def speak(self, text: str, language: str, speed: float) -> Generator[NDArray[np.float32], None, None]:
        """Yield chunks, float32 [n] at SAMPLE_RATE_HZ in -1..1, while eSpeak speaks; closing it stops eSpeak.

        Text without anything in it gives no chunk; text in which nothing is spoken gives one short silent chunk.
        """
        if not text:
            return
        voice = VOICES[language]
        spoken = False
        with closing(wave_stream(text, voice.name, words_per_minute(voice, speed))) as wave:
            for chunk in chunked(_pcm(wave), CHUNK_SAMPLES):
                spoken = True
                yield chunk
        if not spoken:
            yield np.zeros(_NOTHING_TO_SAY_SAMPLES, np.float32)


def _pcm(wave: Iterator[bytes]) -> Iterator[bytes]:
    """Take the header off a WAV stream and check it; a stream without any byte is one without sound."""
    head = b""
    for piece in wave:
        head += piece
        if len(head) >= HEADER_BYTES:
            break
    if not head:
        return
    rate_hz = wave_sample_rate_hz(head[:HEADER_BYTES])
    if rate_hz != SAMPLE_RATE_HZ:
        raise RuntimeError(f"espeak-ng speaks at {rate_hz} Hz, expected {SAMPLE_RATE_HZ}")
    yield head[HEADER_BYTES:]
    yield from wave
