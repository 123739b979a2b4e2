"""Loudness and peaks as EBU R128 means them (ITU-R BS.1770), measured and kept by FFmpeg's own filters."""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import av
import numpy as np
from av.filter import Graph

from orchestrator.errors import ResultNotWritten
from orchestrator.media.audio import LAYOUTS, Sound
from orchestrator.media.clip import Mono

SILENCE_LUFS = -70.0
"""The absolute gate of BS.1770: what is quieter has no loudness."""
BLOCK_S = 0.4
"""Shortest sound that has a loudness."""
OVERSAMPLED = 4
"""Peaks between two samples are looked for at so many times the sample rate (BS.1770, annex 2)."""
ATTACK_MS, RELEASE_MS = 5, 60
"""Of the limiter: it looks so far ahead, and lets go over that time."""
_MEASURE = "ebur128"


class Loudness(NamedTuple):
    """Of one stretch of sound."""

    lufs: float | None
    """Integrated loudness; None for silence."""
    true_peak_dbtp: float
    """Highest value of the sound between and at its samples, in decibels of full scale; -inf for zeros."""


def measure(samples: Mono, sample_rate_hz: int) -> Loudness:
    """Measure mono sound, shape [n]; what is shorter than BLOCK_S is measured as if it went on repeating itself."""
    if not samples.any():
        return Loudness(None, -math.inf)
    shortest = math.ceil(BLOCK_S * sample_rate_hz)
    # one more hop of the meter (100 ms), so that the last block is counted
    whole = np.tile(samples, math.ceil(shortest / len(samples))) if len(samples) < shortest else samples
    chain = _Chain(sample_rate_hz, 1, [(_MEASURE, "metadata=1:peak=true")])
    for _ in chain.push(np.atleast_2d(np.pad(whole, (0, sample_rate_hz // 10)))):
        pass
    for _ in chain.finish():
        pass
    return chain.loudness


class PeakLimiter:
    """Keeps the true peak of a stream below a ceiling, leaves what is below as it is, and measures what comes out.

    The same number of samples comes out, a little later: up to about 0.1 s are still inside.
    """

    def __init__(self, sample_rate_hz: int, channels: int, ceiling_dbtp: float) -> None:
        """Start a stream of `channels` (1 or 2); `ceiling_dbtp` is below 0."""
        limit = 10.0 ** (ceiling_dbtp / 20.0)
        self._channels = channels
        self._taken = self._given = 0
        self._chain = _Chain(
            sample_rate_hz,
            channels,
            [
                ("aresample", str(OVERSAMPLED * sample_rate_hz)),
                ("alimiter", f"limit={limit:.6f}:attack={ATTACK_MS}:release={RELEASE_MS}:level=0:latency=1"),
                ("aresample", str(sample_rate_hz)),
                (_MEASURE, "metadata=1:peak=true"),
            ],
        )

    @property
    def loudness(self) -> Loudness:
        """Of all that has come out so far."""
        return self._chain.loudness

    def push(self, sound: Sound) -> Sound:
        """Take samples [channels, n]; return what is ready."""
        self._taken += sound.shape[1]
        return self._joined(self._chain.push(sound)) if sound.shape[1] else sound

    def finish(self) -> Sound:
        """Return the rest; the stream is over."""
        rest = self._joined(self._chain.finish())
        return np.pad(rest, ((0, 0), (0, self._taken - self._given)))

    def _joined(self, pieces: Iterator[Sound]) -> Sound:
        sound = np.concatenate([np.zeros((self._channels, 0), np.float32), *pieces], axis=1)
        sound = sound[:, : self._taken - self._given]
        self._given += sound.shape[1]
        return sound


class _Chain:
    """A chain of FFmpeg's filters that samples are pushed through."""

    def __init__(self, sample_rate_hz: int, channels: int, filters: list[tuple[str, str]]) -> None:
        self._rate_hz, self._layout = sample_rate_hz, LAYOUTS[channels]
        self._pushed = 0
        self.loudness = Loudness(None, -math.inf)
        self._graph = Graph()
        source = self._graph.add_abuffer(
            format="fltp", sample_rate=sample_rate_hz, layout=self._layout, time_base=Fraction(1, sample_rate_hz)
        )
        links = [source, *(self._graph.add(name, arguments) for name, arguments in filters)]
        links += [self._graph.add("aformat", "sample_fmts=fltp"), self._graph.add("abuffersink")]
        for before, after in pairwise(links):
            before.link_to(after)
        self._graph.configure()

    def push(self, sound: Sound) -> Iterator[Sound]:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32), format="fltp", layout=self._layout)
        frame.sample_rate, frame.time_base = self._rate_hz, Fraction(1, self._rate_hz)
        frame.pts = self._pushed
        self._pushed += sound.shape[1]
        self._graph.push(frame)
        yield from self._pull()

    def finish(self) -> Iterator[Sound]:
        self._graph.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[Sound]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            except av.FFmpegError as error:
                raise ResultNotWritten(f"the sound cannot be mixed: {error.strerror}") from error
            assert isinstance(frame, av.AudioFrame)
            self._note(frame.metadata)
            yield frame.to_ndarray().astype(np.float32, copy=False)

    def _note(self, facts: dict[str, str]) -> None:
        if (loudness := facts.get("lavfi.r128.I")) is None:
            return
        lufs, peak = float(loudness), float(facts["lavfi.r128.true_peak"])
        self.loudness = Loudness(
            lufs if lufs > SILENCE_LUFS else None, 20 * math.log10(peak) if peak > 0 else -math.inf
        )
