"""Is a stretch of speech clear enough to clone a voice from? Pure."""

import numpy as np

from orchestrator.media.clip import Mono
from orchestrator.segmentation.levels import SILENCE_DBFS, frame_levels_dbfs

FRAME_S = 0.02
CLIPPED_FROM = 0.985
"""Of full scale: lossy codecs move a clipped sample a little."""
MAX_CLIPPED_SHARE = 0.001
"""Of clear speech."""
UNUSABLE_CLIPPED_SHARE = 0.02
UNUSABLE_BELOW_DBFS = -50.0
"""What is quieter, or clipped more, says nothing of a voice: engines refuse such references."""
_SPEECH_PERCENT, _FLOOR_PERCENT = 90, 5
"""Of the frames' levels: speech falls back to what lies behind it between its sounds, its quietest twentieth."""


def is_clear(speech: Mono, sample_rate_hz: int, clear_db: float) -> bool:
    """Tell whether `speech` is not clipped and stands at least `clear_db` above what is heard behind it."""
    return above_floor_db(speech, sample_rate_hz) >= clear_db and clipped_share(speech) <= MAX_CLIPPED_SHARE


def is_usable(speech: Mono, sample_rate_hz: int) -> bool:
    """Tell whether `speech` can be given to an engine at all: audible, and not clipped throughout."""
    loud_dbfs, _ = _levels_dbfs(speech, sample_rate_hz)
    return loud_dbfs >= UNUSABLE_BELOW_DBFS and clipped_share(speech) <= UNUSABLE_CLIPPED_SHARE


def above_floor_db(speech: Mono, sample_rate_hz: int) -> float:
    """Return how far the loud frames of `speech` stand above its quietest ones; 0 for less than one frame."""
    loud_dbfs, floor_dbfs = _levels_dbfs(speech, sample_rate_hz)
    return loud_dbfs - floor_dbfs


def clipped_share(speech: Mono) -> float:
    """Return which part of the samples lies at full scale."""
    return float((np.abs(speech) >= CLIPPED_FROM).mean()) if len(speech) else 0.0


def _levels_dbfs(speech: Mono, sample_rate_hz: int) -> tuple[float, float]:
    """Return the level of the loud frames and of the quietest ones."""
    length = round(FRAME_S * sample_rate_hz)
    whole = len(speech) - len(speech) % length
    if not whole:
        return SILENCE_DBFS, SILENCE_DBFS
    levels = frame_levels_dbfs(speech[:whole].reshape(-1, length))
    return float(np.percentile(levels, _SPEECH_PERCENT)), float(np.percentile(levels, _FLOOR_PERCENT))
