"""Flite's voice `rms`: what the sample and the measurements are spoken with."""

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
_STRETCH = "0.92"
"""Of flite's durations: its own pace sounds slow."""
VOICE = f"rms {_STRETCH}"
"""What a kept sound depends on besides its text."""
_SILENCE = 0.006
"""Flite's own silence around a text stays below this."""
_EDGE_S = 0.02
"""Kept around what is louder, and faded."""


def speak(text: str) -> NDArray[np.float32]:
    """Return `text` spoken, mono [n] at SAMPLE_RATE_HZ in -1..1, without the silence around it.

    Raises:
        FileNotFoundError: there is no flite.
        subprocess.CalledProcessError: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "speech.wav"
        command = ["flite", "-voice", "rms", "--setf", f"duration_stretch={_STRETCH}", "-t", text, "-o", str(target)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed words, no shell
        with wave.open(str(target)) as sound:
            if sound.getframerate() != SAMPLE_RATE_HZ:
                raise ValueError(f"flite's voice speaks at {sound.getframerate()} Hz, expected {SAMPLE_RATE_HZ}")
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(np.float32) / 32768.0
    return _trimmed(samples)


def silence(seconds: float) -> NDArray[np.float32]:
    """Return so much silence."""
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


def _trimmed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the silence off both ends, and fade in and out over what is kept of it."""
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    edge = round(_EDGE_S * SAMPLE_RATE_HZ)
    kept = samples[max(loud[0] - edge, 0) : loud[-1] + edge].copy()
    ramp = np.linspace(0.0, 1.0, edge, dtype=np.float32)
    kept[:edge] *= ramp
    kept[-edge:] *= ramp[::-1]
    return kept
