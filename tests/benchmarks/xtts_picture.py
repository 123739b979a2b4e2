"""Draws what streamed and one-shot speech look like, and where they differ."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tests.benchmarks.xtts_speakers import Spoken

_TRANSFORM, _OVERLAP = 1024, 768
_LEAST_DB, _MOST_DB = -110, -20


def draw_picture(streamed: Spoken, one_shot: Spoken, path: Path) -> float:
    """Write a PNG: both spectrograms, and the difference of the samples; return the greatest one.

    Raises AssertionError when they are not equally long.
    """
    assert streamed.samples.shape == one_shot.samples.shape, "streamed and one-shot speech differ in length"
    apart = np.abs(streamed.samples - one_shot.samples)
    figure = Figure(figsize=(12, 9), layout="constrained")
    FigureCanvasAgg(figure)
    upper, middle, lower = figure.subplots(3, 1, sharex=True)
    for axes, spoken, title in ((upper, streamed, "streamed"), (middle, one_shot, "at once")):
        axes.specgram(
            spoken.samples, _TRANSFORM, spoken.rate_hz, noverlap=_OVERLAP, vmin=_LEAST_DB, vmax=_MOST_DB, cmap="magma"
        )
        axes.set(title=title, ylabel="Hz")
    lower.semilogy(np.arange(len(apart)) / streamed.rate_hz, np.maximum(apart, 1e-9), linewidth=0.4)
    lower.set(title=f"difference of the samples, at most {apart.max():.2g}", xlabel="s", ylim=(1e-9, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return float(apart.max())
