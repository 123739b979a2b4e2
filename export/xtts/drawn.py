"""What the gate feeds: drawn sounds of speakers, drawn texts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.seq2seq.runner import Floats, Ids
from export.xtts.settings import XttsSettings

SAMPLE_RATE_HZ = 22050
_SYLLABLES_PER_S = 5


@dataclass(frozen=True)
class Amount:
    """How much is compared: what is affordable depends on the network's size."""

    voices: int = 3
    """Speakers, each of whom says two texts."""
    voice_s: float = 4.0
    steps: int = 200
    """Codes of each text."""
    reduced_steps: int = 80
    """The same for reduced precisions, which differ in every one."""
    alone: int = 40
    """Codes that two of the rows are also read alone for."""
    spoken: int = 60
    """Codes of each voice that the vocoder speaks."""
    window: int = 44
    """Frames of the pieces that it speaks too: about 10 codes, cut anywhere in a code."""
    text_tokens: tuple[int, int] = (14, 45)
    """Of the two texts of a speaker."""


def draw_sound(rng: np.random.Generator, seconds: float) -> Floats:
    """Draw a voice-like sound at 22.05 kHz, FP32 [n], -1..1: a gliding pitch with overtones, breath, syllables."""
    samples = int(seconds * SAMPLE_RATE_HZ)
    times = np.arange(samples) / SAMPLE_RATE_HZ
    knots = int(seconds * _SYLLABLES_PER_S) + 2

    def glide(least: float, most: float) -> NDArray[np.float64]:
        return np.interp(times, np.linspace(0, seconds, knots), rng.uniform(least, most, knots))

    phase = 2 * np.pi * np.cumsum(glide(0.8, 1.25)) * rng.uniform(80, 280) / SAMPLE_RATE_HZ
    overtones = rng.uniform(0, 1, 12) / np.arange(1, 13)
    buzz = sum(
        (strength * np.sin(order * phase) for order, strength in enumerate(overtones, 1)), start=np.zeros(samples)
    )
    sound = glide(0, 0.3) * (buzz + glide(0, 0.5) * rng.normal(size=samples))
    return np.asarray(sound.clip(-1, 1), np.float32)


def draw_text(settings: XttsSettings, rng: np.random.Generator, rows: int, tokens: int) -> Ids:
    """Draw texts [rows, tokens] of anything that may stand in one; no start, no stop."""
    possible = np.setdiff1d(np.arange(settings.text_tokens), [settings.text_start, settings.text_stop])
    return rng.choice(possible, (rows, tokens)).astype(np.int64)
