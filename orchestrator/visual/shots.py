"""Where one shot ends and the next begins, told frame by frame from small pictures of the planes.

Two pictures are compared by where light and dark lie and by which tones there are, both after they were brought to the
same mean and contrast, so that a fade or a change of light counts for little:

- *structure*: of 24 x 24 blocks each is compared with the most similar one of its neighbourhood in the other picture
  (motion moves blocks); the mean of those differences counts;
- *tones*: one minus the intersection of the histograms of luma and chroma.

Their sum is the difference of two pictures. A frame is a candidate when it differs by more than `CUT_DIFFERENCE` from
the frame before, and is a peak: `CUT_PEAK` times the median of the differences in the frames before. It is decided
`FLASH_S` later: it is no cut when a picture has come that is nearer than `SAME_DIFFERENCE` to the last one before it (a
flash, somebody who passes the lens), nor when the frames behind differ from each other nearly as much (a pan, a shaken
camera, noise). Nothing waits but the few frames behind a candidate. A picture without contrast (black, white) is never
compared: behind a run of them the last one with contrast is. Dissolves and wipes are no cuts.

Measured differences: heads that are shaken, nod or come near up to 0.10, white noise 0.25, different pictures and
different parts of one picture 0.44 to 1.2.
"""

import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import av
import cv2
import numpy as np

from client.contracts import Float32Array, UInt8Array
from orchestrator.visual.planes import planes_of

BLOCKS = 24
"""Blocks across and down."""
SAMPLED_SIDE = 96
"""Planes are first thinned out to about so many samples on the short side: the whole plane is never read."""
REACH_BLOCKS = 1
"""A block is looked for so far away: a 24th of the picture's width or height in one frame."""
MIN_CONTRAST = 6.0
"""Standard deviation of the luma below which a picture shows nothing."""
CONTRAST = 48.0
"""What pictures are brought to before their tones are counted."""
LUMA_BINS, CHROMA_BINS = 32, 16
ROUNDING_S = 1e-6
CUT_DIFFERENCE = 0.35
SAME_DIFFERENCE = 0.25
CUT_PEAK = 2.5
USUAL_FRAMES = 12
"""Differences before a candidate that are looked at."""
FLASH_S = 0.2
"""Longest flash; how long a candidate waits."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What is kept of a frame to compare it."""

    time_s: float
    blocks: Float32Array
    """[BLOCKS, BLOCKS], mean 0, standard deviation about 1."""
    tones: Float32Array
    """Shares of the bins of luma, blue and red; sums to 3."""
    blank: bool
    """There is nothing to see: black, white, or even."""


def glance(frame: av.VideoFrame, time_s: float) -> Glance:
    """Take in an 8-bit 4:2:0 frame."""
    luma, blue, red = (_thinned(plane) for plane in planes_of(frame))
    mean, contrast = float(luma.mean()), float(luma.std())
    small = cv2.resize(luma, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA).astype(np.float32)
    gain = CONTRAST / max(contrast, MIN_CONTRAST)
    tones = [
        _shares(luma, LUMA_BINS, mean, gain),
        _shares(blue, CHROMA_BINS, 128.0, gain),
        _shares(red, CHROMA_BINS, 128.0, gain),
    ]
    blocks = (small - small.mean()) / max(float(small.std()), MIN_CONTRAST)
    return Glance(time_s, blocks, np.concatenate(tones), contrast < MIN_CONTRAST)


def difference(a: Glance, b: Glance) -> float:
    """Return 0 for the same picture, 0.5 and more for pictures that have nothing to do with each other."""
    padded = np.pad(b.blocks, REACH_BLOCKS, mode="edge")
    nearest = np.full((BLOCKS, BLOCKS), np.inf, np.float32)
    for row in range(2 * REACH_BLOCKS + 1):
        for column in range(2 * REACH_BLOCKS + 1):
            moved = padded[row : row + BLOCKS, column : column + BLOCKS]
            np.minimum(nearest, np.abs(a.blocks - moved), out=nearest)
    shared = float(np.minimum(a.tones, b.tones).sum()) / 3.0
    return float(nearest.mean()) + max(0.0, 1.0 - shared)


class ShotDetector:
    """Push every frame's glance in order of time; get for each frame, in that order, whether it begins a new shot."""

    def __init__(self) -> None:
        """The first frame continues nothing and is no cut."""
        self._before: Glance | None = None
        self._usual: deque[float] = deque(maxlen=USUAL_FRAMES)
        self._held: list[Glance] = []
        self._peak = 0.0

    def push(self, seen: Glance) -> list[bool]:
        """Take the next frame; return the decisions that are now known, mostly just this frame's."""
        if not self._held:
            return self._look_at(seen)
        assert self._before is not None
        self._held.append(seen)
        if not seen.blank and difference(self._before, seen) < SAME_DIFFERENCE:
            decided, self._held = [False] * len(self._held), []
            self._before = seen
            return decided
        return self._decide() if seen.time_s - self._held[0].time_s > FLASH_S - ROUNDING_S else []

    def flush(self) -> list[bool]:
        """Decide what is held without waiting any longer; more frames may follow."""
        decided: list[bool] = []
        while self._held:
            decided += self._decide()
        return decided

    def _look_at(self, seen: Glance) -> list[bool]:
        if seen.blank or self._before is None:
            self._before = self._before if seen.blank else seen
            return [False]
        changed = difference(self._before, seen)
        if changed > CUT_DIFFERENCE and changed > CUT_PEAK * _median(self._usual):
            self._held, self._peak = [seen], changed
            return []
        self._usual.append(changed)
        self._before = seen
        return [False]

    def _decide(self) -> list[bool]:
        """Judge the first held frame, and look at the others anew."""
        first, *rest = self._held
        seen = [frame for frame in self._held if not frame.blank]
        after = [difference(a, b) for a, b in pairwise(seen)]
        is_cut = self._peak > CUT_PEAK * _median(after)
        if is_cut:
            self._usual.clear()
        else:
            self._usual.append(self._peak)
        self._before, self._held = first, []
        decided = [is_cut]
        for frame in rest:
            decided += self.push(frame)
        return decided


def _median(differences: Sequence[float]) -> float:
    return statistics.median(differences) if differences else 0.0


def _thinned(plane: UInt8Array) -> UInt8Array:
    step = max(1, min(plane.shape) // SAMPLED_SIDE)
    return np.ascontiguousarray(plane[step // 2 :: step, step // 2 :: step])


def _shares(samples: UInt8Array, bins: int, mean: float, gain: float) -> Float32Array:
    """Return the share of each bin [bins], after the samples were spread around `mean` by `gain`."""
    counts = np.bincount(samples.ravel(), minlength=256)
    levels = np.clip((np.arange(256) - mean) * gain + 128.0, 0.0, 255.0)
    shares = np.bincount((levels * (bins / 256)).astype(np.int64), counts, minlength=bins) / samples.size
    # a little blur: a tone on the border of two bins must not jump
    return np.convolve(np.pad(shares, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid").astype(np.float32)
