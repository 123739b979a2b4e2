"""The sample's sound: three sentences in flite's `rms` voice, with pauses that any segmenter hears."""

import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
SENTENCES = (
    "Today is a very important day.",
    "Tomorrow we will fly to the moon.",
    "The journey to the moon takes three days.",
)
"""Chosen by trial: PocketSphinx hears each of them word for word, and Apertium's Spanish for them is good."""
LEAD_S, PAUSE_S, TAIL_S = 0.65, 0.80, 0.80
"""Silence before the first sentence, between two and after the last one."""
_STRETCH = "0.92"
"""Of flite's durations: its own pace sounds slow."""
_SILENCE = 0.006
"""Flite's own silence around a sentence stays below this."""
_EDGE_S = 0.02
"""Kept around what is louder, and faded."""


@dataclass(frozen=True, slots=True)
class Speech:
    """The whole sound track."""

    samples: NDArray[np.float32]
    """Mono at SAMPLE_RATE_HZ, -1..1."""
    spoken_s: tuple[tuple[float, float], ...]
    """Start and end of every sentence."""


def speak() -> Speech:
    """Speak the sentences in order. Without a working flite: CalledProcessError or FileNotFoundError."""
    parts = [_silence(LEAD_S)]
    spoken: list[tuple[float, float]] = []
    for number, sentence in enumerate(SENTENCES):
        if number:
            parts.append(_silence(PAUSE_S))
        samples = _sentence(sentence)
        start = sum(len(part) for part in parts) / SAMPLE_RATE_HZ
        spoken.append((start, start + len(samples) / SAMPLE_RATE_HZ))
        parts.append(samples)
    parts.append(_silence(TAIL_S))
    return Speech(np.concatenate(parts), tuple(spoken))


def _sentence(text: str) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "sentence.wav"
        command = ["flite", "-voice", "rms", "--setf", f"duration_stretch={_STRETCH}", "-t", text, "-o", str(target)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed words, no shell
        with wave.open(str(target)) as sound:
            if sound.getframerate() != SAMPLE_RATE_HZ:
                raise ValueError(f"flite's voice speaks at {sound.getframerate()} Hz, expected {SAMPLE_RATE_HZ}")
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(np.float32) / 32768.0
    return _trimmed(samples)


def _trimmed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the silence off both ends, and fade in and out over what is kept of it."""
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    edge = round(_EDGE_S * SAMPLE_RATE_HZ)
    kept = samples[max(loud[0] - edge, 0) : loud[-1] + edge].copy()
    ramp = np.linspace(0.0, 1.0, edge, dtype=np.float32)
    kept[:edge] *= ramp
    kept[-edge:] *= ramp[::-1]
    return kept


def _silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)
