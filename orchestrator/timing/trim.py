"""Cutting the silence that a TTS engine puts around its speech, so that speech starts when its sentence does."""

import numpy as np

from orchestrator.media.clip import Mono

SILENCE_DB = -45.0
"""Below the peak. Soft consonants lie above it; an engine's breath and dither lie below."""
MARGIN_S = 0.01
"""Kept before and after the speech."""
FRAME_S = 0.005


def trim_silence(samples: Mono, sample_rate_hz: int) -> Mono:
    """Return the speech without the silence around it; an empty array when there is no sound at all."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0.0:
        return samples[:0]
    frame = max(1, round(FRAME_S * sample_rate_hz))
    padded = np.pad(np.abs(samples), (0, -len(samples) % frame))
    loud = np.flatnonzero(padded.reshape(-1, frame).max(axis=1) > peak * 10 ** (SILENCE_DB / 20))
    margin = round(MARGIN_S * sample_rate_hz)
    return samples[max(0, loud[0] * frame - margin) : (loud[-1] + 1) * frame + margin]
