"""How loud a clip is over time."""

from pathlib import Path

import numpy as np

from orchestrator.media.audio import read_audio
from orchestrator.media.clip import Mono
from orchestrator.media.probe import probe
from orchestrator.settings import MediaSettings

SAMPLE_RATE_HZ = 16_000
STEP_MS = 50
"""One value for each: 20 a second draw a syllable's rise and fall."""
QUIETEST_DBFS = -60.0
"""Drawn as nothing."""


def energy_dbfs(path: Path, settings: MediaSettings) -> Mono:
    """Return the level of the sound in steps of STEP_MS, shape [n], QUIETEST_DBFS..0.

    Raises:
        ClipRefused: the file cannot be read, or has no sound.
        FileNotFoundError: there is none.
    """
    clip = probe(path, settings)
    step = SAMPLE_RATE_HZ * STEP_MS // 1000
    levels = [_levels(block, step) for block in read_audio(path, clip, SAMPLE_RATE_HZ, block_s=20 * STEP_MS / 1000)]
    return np.concatenate([np.zeros(0, np.float32), *levels])


def _levels(block: Mono, step: int) -> Mono:
    padded = np.pad(block, (0, -len(block) % step)).reshape(-1, step)
    power = np.mean(padded.astype(np.float64) ** 2, axis=1)
    levels: Mono = np.clip(10 * np.log10(np.maximum(power, 1e-12)), QUIETEST_DBFS, 0.0).astype(np.float32)
    return levels
