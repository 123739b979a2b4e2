"""What a request says, piece after piece: without a click between them, and told anew where a piece ran away. Pure.

What has been sent cannot be taken back, but whoever listens can be told to forget it: a chunk that `restarts` holds all
that the request says from its beginning on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_EDGE_S = 0.005
"""Pieces begin and end with a fade of this length."""
_CUT_S = 0.05
"""A sound that is cut short fades out over this."""


@dataclass(frozen=True)
class Chunk:
    """What is sent."""

    samples: Floats
    """[n], n > 0."""
    remark: str = ""
    """What the guard did, for the report."""
    restarts: bool = False
    """Everything sent before is to be forgotten."""


class Joined:
    """Takes the samples of one piece after the other, and tells chunks."""

    def __init__(self, tell: Callable[[Chunk], None], sample_rate_hz: int) -> None:
        self._tell, self._rate_hz = tell, sample_rate_hz
        self._finished: list[Floats] = []
        self._piece: list[Floats] = []
        """Told of the running piece."""
        self._held: Floats = np.zeros(0, np.float32)
        """Its newest samples: they may turn out to be its last, and fade."""
        self._begun = False
        self._restarts, self._remarks = False, ""

    def say(self, samples: Floats) -> None:
        """Take further samples of the running piece."""
        if not len(samples):
            return
        if not self._begun:
            samples, self._begun = _fade_in(samples, int(_EDGE_S * self._rate_hz)), True
        fresh = np.concatenate([self._held, samples])
        kept = max(0, len(fresh) - int(_CUT_S * self._rate_hz))
        self._held = fresh[kept:]
        self._send(fresh[:kept])

    def restart(self, remark: str) -> None:
        """Drop the running piece: what is said next takes its place."""
        self._restarts = self._restarts or bool(self._piece)
        self._note(remark)
        self._drop()

    def end(self, remark: str = "", *, cut: bool = False) -> None:
        """The piece is over; `cut`: in the middle of its speech."""
        self._note(remark)
        self._send(_fade_out(self._held, int((_CUT_S if cut else _EDGE_S) * self._rate_hz)))
        self._finished += self._piece
        self._drop()

    def _note(self, remark: str) -> None:
        self._remarks = "; ".join(filter(None, (self._remarks, remark)))

    def _drop(self) -> None:
        self._piece, self._held, self._begun = [], np.zeros(0, np.float32), False

    def _send(self, samples: Floats) -> None:
        if not len(samples):
            return
        self._piece.append(samples)
        whole = np.concatenate([*self._finished, samples]) if self._restarts else samples
        self._tell(Chunk(whole, self._remarks, self._restarts))
        self._restarts, self._remarks = False, ""


def _fade_in(samples: Floats, count: int) -> Floats:
    faded = samples.copy()
    count = min(count, len(faded))
    faded[:count] *= _slope(count)
    return faded


def _fade_out(samples: Floats, count: int) -> Floats:
    return _fade_in(samples[::-1], count)[::-1].copy()


def _slope(count: int) -> Floats:
    return (np.arange(count, dtype=np.float32) + 0.5) / max(count, 1)
