"""The sound of the result: the dub over the source's own sound, which steps back where somebody speaks."""

from collections.abc import Iterator

import numpy as np

from orchestrator.media.audio import Sound
from orchestrator.media.loudness import Loudness, PeakLimiter
from orchestrator.settings import SoundSettings
from orchestrator.timing.ducking import BRIDGE_S, duck_gains
from orchestrator.timing.timeline import DubTimeline

STEP_S = 1.0
"""Sound is mixed in pieces of at most so long, so that the end of a clip costs no more memory than its middle."""


class SoundMixer:
    """Mixes a clip's sound from its beginning to its end, as far as the timeline is final.

    The background is ducked over the spans of `DubTimeline.speaking`: the dub's speech, and the source's that it
    replaces, so that no end of a source sentence comes up after a shorter dub. Sentences that are kept are not: there
    the background is what is heard. The dub is mono and goes into every channel alike.
    """

    def __init__(
        self,
        timeline: DubTimeline,
        duration_s: float,
        background: Iterator[Sound] | None,
        channels: int,
        duck_db: float | None,
        settings: SoundSettings,
    ) -> None:
        """`background`: the source's sound [channels, n] from time 0 at the timeline's rate; None: it is not kept."""
        self._timeline = timeline
        self._rate_hz = timeline.sample_rate_hz
        self._total = round(duration_s * self._rate_hz)
        self._background = background
        self._held: Sound = np.zeros((channels, 0), np.float32)
        self._limiter = PeakLimiter(self._rate_hz, channels, settings.ceiling_dbtp)
        self._mixed = 0
        self.channels = channels
        """1 or 2."""
        self.duck_db = None if background is None else duck_db
        """How loud the source's sound is while somebody speaks; None: it is not kept."""
        self._ducked_samples = 0

    @property
    def needs_from_s(self) -> float:
        """What lies before is not read again."""
        return self._mixed / self._rate_hz - BRIDGE_S

    @property
    def ducked_s(self) -> float:
        """For so long the source's sound was lower than it is."""
        return self._ducked_samples / self._rate_hz

    @property
    def loudness(self) -> Loudness:
        """Of the mix so far."""
        return self._limiter.loudness

    def advance(self, final_s: float) -> Sound:
        """Return the samples [channels, n] that follow, as far as they can be known when all before `final_s` is."""
        until = round((final_s - BRIDGE_S) * self._rate_hz)
        pieces = list(self._until(min(until, self._total)))
        return np.concatenate([np.zeros((self.channels, 0), np.float32), *pieces], axis=1)

    def finish(self) -> Sound:
        """Return all the rest, when everything is final."""
        return np.concatenate([*self._until(self._total), self._limiter.finish()], axis=1)

    def close(self) -> None:
        """Close the source."""
        if (close := getattr(self._background, "close", None)) is not None:
            close()

    def _until(self, until: int) -> Iterator[Sound]:
        while self._mixed < until:
            count = min(until - self._mixed, round(STEP_S * self._rate_hz))
            yield self._limiter.push(self._mix(count))
            self._mixed += count

    def _mix(self, count: int) -> Sound:
        if self._background is None:
            dub = self._timeline.read(self._mixed, count)
            return np.broadcast_to(dub, (self.channels, count))
        start_s, end_s = self._mixed / self._rate_hz, (self._mixed + count) / self._rate_hz
        spans = self._timeline.speaking(start_s - BRIDGE_S, end_s + BRIDGE_S)
        assert self.duck_db is not None
        gains = duck_gains(spans, self._mixed, count, self._rate_hz, self.duck_db)
        self._ducked_samples += int(np.count_nonzero(gains < 1.0))
        dub = self._timeline.read(self._mixed, count, kept=False)
        return self._source(count) * gains + dub

    def _source(self, count: int) -> Sound:
        """Take the next samples of the source's own sound; silence behind its end."""
        assert self._background is not None
        while self._held.shape[1] < count and (block := next(self._background, None)) is not None:
            self._held = np.concatenate([self._held, block], axis=1)
        taken, self._held = self._held[:, :count], self._held[:, count:]
        return np.pad(taken, ((0, 0), (0, count - taken.shape[1])))
