"""Who speaks: which of several mouths moves with the sound. Numbers only, no pictures.

The idea is Chung's and Zisserman's ("Out of Time: Automated Lip Sync in the Wild", 2016: of several faces the speaker
is the one whose mouth fits the sound best), with the measure of the paper that this project implements in place of a
trained network: the cross-correlation of the sound's energy and the mouth's motion.

- The motion of each mouth and the loudness are normalised to mean 0 and deviation 1 within the window; their product,
  frame by frame, is the evidence for a face. Its mean is the normalised correlation.
- The sound may be `LAG_S` early or late against the picture: the lag that explains the window best counts, and a small
  one is likelier than a large one.
- A path through the window chooses a face or nobody for every frame (Viterbi). It collects the evidence, or `NOBODY`
  for nobody while there is sound, and pays for every change, the more the louder it is: changes fall into pauses, and a
  short spell of better evidence changes nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

LAG_STEPS, LAG_STEP_S = 4, 0.04
LAGS_S: Float64 = np.arange(-LAG_STEPS, LAG_STEPS + 1, dtype=np.float64) * LAG_STEP_S
"""The sound is looked for so much later than the picture: ±160 ms, more than viewers bear."""
LAG_COST = 0.5
"""Correlation that a second of lag must be better by."""
STILL_DEVIATION = 0.15
"""Of a mouth's motion: a still face has 0.08, which must not be blown up to 1; one that talks has 0.24."""
FLAT_DEVIATION = 0.05
"""The same of the loudness."""
NOBODY = 0.2
"""Correlation that a face must exceed to be believed. Talking faces have 0.5 to 0.8, still ones -0.1 to 0.2."""
SOUND = 0.1
"""Loudness from which there is sound."""
CHANGE_COST_S, LOUD_CHANGE_COST_S = 0.5, 0.8
"""A change costs as much as so many seconds of perfect correlation in silence, and so much more at full loudness."""
NOBODY_COST = 0.8
"""The same between a face and nobody, as a share."""
LONGEST_STEP_S = 0.2
"""A frame counts for the time since the one before, but for no more: in between nobody was watched."""
SMOOTHED_FRAMES = 3
"""Motion is averaged over so many frames: less than a syllable."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of a stretch of frames."""

    times_s: Float64
    """[n], rising."""
    motions: Float64
    """[faces, n], `mouth_motion`; NaN where it is not known."""
    present: NDArray[np.bool_]
    """[faces, n]: the face is in sight."""
    loudness: Float64
    """[lags, n], 0..1: at the frames' times + LAGS_S."""


def speakers(window: Window, before: int | None = None) -> list[int]:
    """Return the index of the face that speaks in each frame, -1 for nobody.

    `before`: who spoke before the window, -1 for nobody; None when it is not known: then the first choice is free.
    """
    evidence = _evidence(window)
    loudness = window.loudness[LAG_STEPS]
    costs = CHANGE_COST_S + LOUD_CHANGE_COST_S * loudness
    lags, count, states = evidence.shape
    change = np.ones((states, states))
    change[-1, :] = change[:, -1] = NOBODY_COST
    np.fill_diagonal(change, 0.0)
    score = np.zeros((lags, states)) if before is None else np.tile(-change[before] * costs[0], (lags, 1))
    came_from = np.zeros((count, lags, states), np.intp)
    for frame in range(count):
        if frame:
            arriving = score[:, :, None] - change * costs[frame]
            came_from[frame] = arriving.argmax(axis=1)
            score = arriving.max(axis=1)
        score = score + evidence[:, frame]
    lag, state = np.unravel_index(int(score.argmax()), score.shape)
    path = [int(state)]
    for frame in range(count - 1, 0, -1):
        path.append(int(came_from[frame, lag, path[-1]]))
    return [-1 if state == states - 1 else state for state in reversed(path)]


def _evidence(window: Window) -> Float64:
    """Return what every frame says for each face and (last) for nobody, in seconds: [lags, n, faces + 1]."""
    motion = np.stack([normalised(_smoothed(row), STILL_DEVIATION) for row in window.motions])
    loud = np.stack([normalised(row, FLAT_DEVIATION) for row in window.loudness])
    faces = loud[:, None] * motion - LAG_COST * np.abs(LAGS_S)[:, None, None]
    faces = np.where(window.present, faces, -np.inf)
    nobody = NOBODY * (window.loudness[LAG_STEPS] > SOUND) - LAG_COST * np.abs(LAGS_S)[:, None, None]
    steps_s = np.diff(window.times_s, prepend=window.times_s[0])
    return np.concatenate([faces, nobody], axis=1).transpose(0, 2, 1) * np.clip(steps_s, 1e-3, LONGEST_STEP_S)[:, None]


def _smoothed(motion: Float64) -> Float64:
    """Average over neighbours; what is not known counts as the mean of what is."""
    known = ~np.isnan(motion)
    filled = np.where(known, motion, motion[known].mean() if known.any() else 0.0)
    padded = np.pad(filled, SMOOTHED_FRAMES // 2, mode="edge")
    return np.convolve(padded, np.full(SMOOTHED_FRAMES, 1.0 / SMOOTHED_FRAMES), mode="valid")


def normalised(row: Float64, least_deviation: float) -> Float64:
    """Return the row with mean 0 and deviation 1; a row that hardly varies is not blown up."""
    centred: Float64 = (row - row.mean()) / max(float(row.std()), least_deviation)
    return centred
