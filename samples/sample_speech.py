"""The sample's sound: three sentences in flite's `rms` voice, with pauses that any segmenter hears."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.evaluation import flite
from orchestrator.evaluation.flite import SAMPLE_RATE_HZ, silence

SENTENCES = (
    "Today is a very important day.",
    "Tomorrow we will fly to the moon.",
    "The journey to the moon takes three days.",
)
"""Chosen by trial: PocketSphinx hears each of them word for word, and Apertium's Spanish for them is good."""
LEAD_S, PAUSE_S, TAIL_S = 0.65, 0.80, 0.80
"""Silence before the first sentence, between two and after the last one."""


@dataclass(frozen=True, slots=True)
class Speech:
    """The whole sound track."""

    samples: NDArray[np.float32]
    """Mono at SAMPLE_RATE_HZ, -1..1."""
    spoken_s: tuple[tuple[float, float], ...]
    """Start and end of every sentence."""


def speak() -> Speech:
    """Speak the sentences in order. Without a working flite: CalledProcessError or FileNotFoundError."""
    parts = [silence(LEAD_S)]
    spoken: list[tuple[float, float]] = []
    for number, sentence in enumerate(SENTENCES):
        if number:
            parts.append(silence(PAUSE_S))
        samples = flite.speak(sentence)
        start = sum(len(part) for part in parts) / SAMPLE_RATE_HZ
        spoken.append((start, start + len(samples) / SAMPLE_RATE_HZ))
        parts.append(samples)
    parts.append(silence(TAIL_S))
    return Speech(np.concatenate(parts), tuple(spoken))
