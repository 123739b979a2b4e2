"""What was heard, and how sure the decoder is of it. Pure: numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAMES_PER_S = 100
"""PocketSphinx's frame rate: a frame is 10 ms."""

ACTIVE_BELOW_LOUDEST_DB = 35.0
"""A frame this much below the loudest one is background: the figure the project's segmenter uses too."""

AUDIBLE_DBFS = -60.0
"""Frames below this level count as silence, however quiet the loudest is."""

LONGEST_WORD_S = 1.5
"""A single word that lasts longer is the decoder explaining a steady sound (hum, noise, music), not speech."""

NO_SPEECH_ABOVE = 0.9
"""No-speech probability beyond which the text is dropped: mains hum gives a doubtful "aw" at 0.99, speech in white
noise 20 dB below it at most 0.7."""

_SMALLEST_PROBABILITY = 1e-30
"""Keeps the logarithm finite."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the best path."""

    text: str
    start_frame: int
    end_frame: int
    """Inclusive."""
    probability: float
    """Posterior of the word in the decoder's lattice, 0..1."""

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return (self.end_frame - self.start_frame + 1) / FRAMES_PER_S


def believable(words: Sequence[Word]) -> list[Word]:
    """Drop words too long to have been spoken."""
    return [word for word in words if word.duration_s <= LONGEST_WORD_S]


def active_frames(audio: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.bool_]:
    """Say of each 10 ms frame of `audio` ([n], -1..1) whether something sounds in it; shape [ceil(n / frame)]."""
    frame = sample_rate_hz // FRAMES_PER_S
    padded = np.pad(audio.astype(np.float64), (0, -len(audio) % frame)).reshape(-1, frame)
    level_db = 10 * np.log10(np.mean(padded**2, axis=1) + 1e-12)
    loudest_db = level_db.max(initial=-np.inf)
    return level_db > max(AUDIBLE_DBFS, loudest_db - ACTIVE_BELOW_LOUDEST_DB)


def no_speech_probability(words: Sequence[Word], active: NDArray[np.bool_]) -> float:
    """Return the share of the sounding frames that no word explains, each word weighted by its posterior.

    1 when nothing sounds or no word was heard. Pauses do not count, so one word in a long silence still gives about 0.
    """
    if not active.any():
        return 1.0
    spoken = np.zeros(len(active))
    for word in words:
        spoken[word.start_frame : word.end_frame + 1] = word.probability
    return float(np.clip(1.0 - spoken[active].mean(), 0.0, 1.0))


def mean_logprob(words: Sequence[Word]) -> float:
    """Return the mean natural logarithm of the words' posteriors, at most 0; 0 when there is no word to doubt."""
    if not words:
        return 0.0
    return float(np.mean([np.log(max(word.probability, _SMALLEST_PROBABILITY)) for word in words]))
