"""The gate's third part: the vocoder, whole and in windows, against the original."""

from dataclasses import dataclass

import numpy as np

from export.parity import Runner, check_finite, max_abs_difference
from export.seq2seq.runner import Floats
from export.xtts.drawn import Amount
from export.xtts.reference import Reference

HOP = 256
"""Samples of a frame."""
CONTEXT = 16
"""Frames on each side of a window that make it the whole's: what the convolutions reach, and a little more."""
_LEAST_POWER = 1e-6


@dataclass
class SoundSeen:
    """Over all voices."""

    audio_abs: float = 0.0
    batch_abs: float = 0.0
    window_abs: float = 0.0
    snr_db: float = np.inf
    """Least of any voice."""
    spectrum_db: float = 0.0
    """Greatest of any voice: root mean square of the differences between log power spectra."""
    level: float = np.inf
    """Least root mean square of any voice's sound: silence would prove nothing."""


def compare_sound(
    reference: Reference, run: Runner, hidden: Floats, embedding: Floats, amount: Amount, seen: SoundSeen
) -> None:
    """Speak hidden states [voices, n, width] in the voices [voices, 512] both ways. NotFinite."""
    pairs = list(zip(hidden[:, : amount.spoken], embedding, strict=True))
    expected = np.stack([reference.speak(states, voice) for states, voice in pairs])
    features = np.stack([reference.features(states) for states, _ in pairs])
    check_finite({"audio": expected}, "outputs of the original")
    got = _run(run, features, embedding)
    alone = np.concatenate(
        [_run(run, features[row : row + 1], embedding[row : row + 1]) for row in range(len(features))]
    )
    windows = _in_windows(run, features, embedding, amount.window)
    seen.audio_abs = max(seen.audio_abs, max_abs_difference(expected, got))
    seen.batch_abs = max(seen.batch_abs, max_abs_difference(got, alone))
    seen.window_abs = max(seen.window_abs, max_abs_difference(got, windows))
    for wanted, have in zip(expected, got, strict=True):
        seen.level = min(seen.level, float(np.sqrt(np.mean(wanted**2))))
        noise = float(np.sum((wanted - have) ** 2, dtype=np.float64))
        power = float(np.sum(wanted**2, dtype=np.float64))
        seen.snr_db = min(seen.snr_db, 10 * float(np.log10(power / noise)) if noise else np.inf)
        seen.spectrum_db = max(seen.spectrum_db, _distance_db(wanted, have))


def _run(run: Runner, features: Floats, embedding: Floats) -> Floats:
    audio = run({"features": features, "embedding": embedding})["audio"]
    check_finite({"audio": audio}, "outputs of the exported vocoder")
    return audio


def _in_windows(run: Runner, features: Floats, embedding: Floats, window: int) -> Floats:
    """Speak piece by piece, each with the frames around it, and put what lies inside together."""
    frames, parts = features.shape[2], []
    for first in range(0, frames, window):
        least, last = max(0, first - CONTEXT), min(frames, first + window)
        audio = _run(run, np.ascontiguousarray(features[:, :, least : last + CONTEXT]), embedding)
        parts.append(audio[:, (first - least) * HOP : (last - least) * HOP])
    return np.concatenate(parts, axis=1)


def _distance_db(one: Floats, other: Floats) -> float:
    """Compare power spectra of 1024 samples, over the bands that hold all but a millionth of the power."""
    spectra = [
        np.abs(np.fft.rfft(each[: len(each) // 1024 * 1024].reshape(-1, 1024) * np.hanning(1024))) ** 2
        for each in (one, other)
    ]
    floor = _LEAST_POWER * float(spectra[0].max())
    difference = 10 * np.log10((spectra[0] + floor) / (spectra[1] + floor))
    return float(np.sqrt(np.mean(difference**2)))
