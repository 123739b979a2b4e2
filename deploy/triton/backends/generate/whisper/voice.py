"""Is there a voice in it at all? Asked before the network, which invents text for music and noise. Pure.

A linear score of eleven traits (traits.py), fitted by logistic regression. Speech: 146 stretches of the prompts of
Asterisk in English, French, Italian, Russian and Spanish (Debian's asterisk-core-sounds-*), as they are, with noise 20
to 0 dB and music 15 and 8 dB below the voice, reverberation of 0.4 and 1 s; digits; eSpeak and flite. Not speech: 8
instrumental pieces (asterisk-moh-opsound, frozen-bubble-data), game sounds, made noises, hums, chords, arpeggios,
clicks. docs/SPEECH.md has the figures. A voice must not be missed, so what is doubtful counts as one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .mel import SAMPLE_RATE_HZ
from .traits import AUDIBLE_DBFS, traits

WEIGHTS = (-1.79, 1.80, -7.92, -8.78, -21.0, -0.794, 47.1, 10.9, 7.87, 16.9, 0.544)
BIAS = -10.945
"""Logits of the score: above 0 a stretch of 1.5 s sounds more like speech than not."""

SHORT_S = 1.0
SHORT_BELOW = -3.0
"""A recording of one word tells little: a score from here on will do."""


def voice_score(audio: NDArray[np.float32]) -> float:
    """Return how much `audio` ([n], 16 kHz, -1..1) sounds like speech: the second best stretch of three or more.

    The best of one or two; minus infinity where nothing sounds for 0.2 s. One odd stretch in music is no voice.
    """
    found = traits(audio) if _audible(audio) else np.zeros((0, len(WEIGHTS)))
    scores = np.sort(found @ np.array(WEIGHTS) + BIAS)
    if not scores.size:
        return float("-inf")
    return float(scores[-2] if scores.size > 2 else scores[-1])


def has_voice(audio: NDArray[np.float32]) -> bool:
    """Tell whether somebody may be speaking in `audio` ([n], 16 kHz, -1..1)."""
    short = len(audio) < SHORT_S * SAMPLE_RATE_HZ
    return voice_score(audio) > (SHORT_BELOW if short else 0.0)


def _audible(audio: NDArray[np.float32]) -> bool:
    """Tell whether any sample reaches the level below which all is silence: then there is no need to look closer."""
    return bool(np.abs(audio).max(initial=0.0) > 10 ** (AUDIBLE_DBFS / 20))
