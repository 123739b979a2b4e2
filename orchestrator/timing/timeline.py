"""The sound track of the dub: filled out of order by the audio branch, read in order by the renderer.

A chunk is *announced* as a sentence when it is cut; one that turns out to go on with the sentence before it is *joined*
to it. A sentence is *resolved* when its speech is placed, or when it is kept as it was.
What lies before the first sentence that is not resolved is *final*: it can be read, encoded and forgotten.
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from orchestrator.media.clip import Mono
from orchestrator.settings import TimingSettings
from orchestrator.timing.loudness_match import LoudnessMatch, SentenceLoudness
from orchestrator.timing.placement import Placement, Slot, Verdict, place

FADE_S = 0.01
"""Fade at both ends of everything placed: no clicks."""

Stretch = Callable[[Mono, int, float], Mono]
"""samples, sample rate in hertz, rate -> samples."""


@dataclass(slots=True)
class _Sentence:
    segment_id: uuid.UUID
    start_s: float
    end_s: float
    speech: Mono | None = None
    speed: float = 1.0
    """At which the engine spoke `speech`."""
    loudness: SentenceLoudness | None = None
    placement: Placement | None = None
    kept: bool = False
    dub: bool = False
    """True when what is placed is translated speech and not the source's own sound."""
    first_sample: int = 0
    samples: Mono | None = None
    passed: bool = False
    """Resolved, and so is everything before it: what it does to its successors is known for good."""

    @property
    def resolved(self) -> bool:
        return self.kept or self.placement is not None

    @property
    def decided(self) -> bool:
        """It is known whether this sentence is dubbed or kept."""
        return self.resolved or self.speech is not None


class DubTimeline:
    """Thread-safe track of mono float32 samples at one rate, from 0 to the clip's end."""

    def __init__(
        self,
        duration_s: float,
        sample_rate_hz: int,
        settings: TimingSettings,
        stretch: Stretch,
        match: LoudnessMatch | None = None,
    ) -> None:
        """`duration_s`: of the clip; nothing is ever placed beyond it. `match`: None leaves speech as loud as it is."""
        self._duration_s = duration_s
        self._rate_hz = sample_rate_hz
        self._settings = settings
        self._stretch = stretch
        self._match = match
        self._changed = threading.Condition()
        self._sentences: list[_Sentence] = []
        self._by_id: dict[uuid.UUID, _Sentence] = {}
        self._settled_s = 0.0
        self._ended = False
        self._error: BaseException | None = None
        self._free_from_s = 0.0
        self._before: Placement | None = None
        """The neighbour of the first sentence that is not passed."""
        self._forgotten_s = 0.0

    @property
    def sample_rate_hz(self) -> int:
        """Of everything put in and read out."""
        return self._rate_hz

    def announce(self, segment_id: uuid.UUID, start_s: float, end_s: float) -> None:
        """Tell that a sentence lies at start..end. Calls come in the order of speech."""
        with self._changed:
            sentence = _Sentence(segment_id, start_s, end_s)
            self._sentences.append(sentence)
            self._by_id[segment_id] = sentence
            self._settled_s = max(self._settled_s, end_s)
            self._advance()

    def join(self, segment_id: uuid.UUID, other_id: uuid.UUID) -> None:
        """Tell that the announced `other_id` is no sentence of its own but goes on with `segment_id`, before it.

        Nothing was put or kept for either. The joined sentence lasts from the start of the one to the end of the other.
        """
        with self._changed:
            other = self._by_id.pop(other_id)
            self._sentences.remove(other)
            self._by_id[segment_id].end_s = other.end_s
            self._advance()

    def settle(self, until_s: float) -> None:
        """Tell that every sentence that starts before `until_s` has been announced."""
        with self._changed:
            self._settled_s = max(self._settled_s, until_s)
            self._advance()

    def end(self) -> None:
        """Tell that no sentence follows."""
        with self._changed:
            self._ended = True
            self._advance()

    def fail(self, error: BaseException) -> None:
        """Wake every waiter with `error`."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def put(
        self, segment_id: uuid.UUID, speech: Mono, speed: float = 1.0, loudness: SentenceLoudness | None = None
    ) -> None:
        """Give a sentence its translated speech, shape [n], n > 0, as the engine spoke it at `speed` (1 = natural).

        `loudness`: of the sentence; None leaves the speech as loud as it is.
        """
        with self._changed:
            sentence = self._by_id[segment_id]
            if not sentence.resolved and sentence.speech is None:
                sentence.speech, sentence.speed, sentence.dub = speech, speed, True
                sentence.loudness = loudness
                self._advance()

    def keep(self, segment_id: uuid.UUID, source: Mono, source_start_s: float) -> None:
        """Leave a sentence as it was: `source` is the clip's own sound, its first sample at `source_start_s`."""
        with self._changed:
            sentence = self._by_id[segment_id]
            if sentence.resolved:
                return
            first = max(0, round(source_start_s * self._rate_hz))
            sentence.kept = True
            sentence.first_sample = first
            sentence.samples = _faded(source[: max(0, self._total_samples - first)], self._rate_hz)
            self._advance()

    def wait_final(self, until_s: float, timeout_s: float) -> bool:
        """Wait until everything before `until_s` is final; False when `timeout_s` passed without it.

        Raises whatever was given to `fail`.
        """
        until_s = min(until_s, self._duration_s)
        with self._changed:
            done = self._changed.wait_for(lambda: self._error or self._final_s() >= until_s - 1e-9, timeout_s)
            if self._error:
                raise self._error
            return bool(done)

    def read(self, first_sample: int, count: int, *, kept: bool = True) -> Mono:
        """Return `count` samples from `first_sample` on, which may be negative or beyond the end (silence there).

        `kept`: with the sentences that were left as they were.
        """
        out = np.zeros(count, np.float32)
        with self._changed:
            for sentence in self._sentences:
                if sentence.samples is not None and (kept or not sentence.kept):
                    _mix(out, first_sample, sentence.samples, sentence.first_sample)
        return out

    def speaking(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """Return the spans within start..end where lips must move or be shut.

        Translated speech as placed, and the source's own speech that it replaces.
        """
        spans: list[tuple[float, float]] = []
        with self._changed:
            for sentence in self._sentences:
                if sentence.placement is not None:
                    spans.append((sentence.start_s, sentence.end_s))
                    spans.append((sentence.placement.start_s, sentence.placement.end_s))
        return [span for span in spans if span[0] < end_s and span[1] > start_s]

    def forget(self, before_s: float) -> None:
        """Free the samples of sentences that end before `before_s`; they read as silence from now on."""
        with self._changed:
            self._forgotten_s = max(self._forgotten_s, before_s)
            for sentence in self._sentences:
                if sentence.samples is not None and self._end_s(sentence) < before_s:
                    sentence.samples = None
            while self._sentences and self._disposable(self._sentences[0]):
                self._sentences.pop(0)
            self._changed.notify_all()

    def wait_below(self, max_bytes: int, timeout_s: float) -> bool:
        """Wait until the track holds less than `max_bytes`, or fewer than two sentences; False after `timeout_s`."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: self._error or len(self._sentences) < 2 or self._held_bytes() < max_bytes, timeout_s
            )
            if self._error:
                raise self._error
            return bool(done)

    def placement(self, segment_id: uuid.UUID) -> Placement | None:
        """Return where a sentence was placed; None when it was kept as it was, or is not resolved."""
        with self._changed:
            return self._by_id[segment_id].placement

    @property
    def _total_samples(self) -> int:
        return round(self._duration_s * self._rate_hz)

    def _held_bytes(self) -> int:
        held = (s.samples if s.samples is not None else s.speech for s in self._sentences)
        return sum(samples.nbytes for samples in held if samples is not None)

    def _end_s(self, sentence: _Sentence) -> float:
        length = 0 if sentence.samples is None else len(sentence.samples)
        return max(sentence.end_s, (sentence.first_sample + length) / self._rate_hz)

    def _disposable(self, sentence: _Sentence) -> bool:
        end_s = max(sentence.end_s, sentence.placement.end_s if sentence.placement else 0.0)
        return sentence.passed and sentence.samples is None and end_s < self._forgotten_s

    def _advance(self) -> None:
        """Place, in order, what can be placed now: the outcome must not depend on who was faster."""
        for index, sentence in enumerate(self._sentences):
            if sentence.passed:
                continue
            if not sentence.kept and (sentence.speech is None or not self._place(index, sentence)):
                break
            sentence.passed = True
            self._before = sentence.placement
        self._changed.notify_all()

    def _place(self, index: int, sentence: _Sentence) -> bool:
        assert sentence.speech is not None
        following = self._sentences[index + 1] if index + 1 < len(self._sentences) else None
        spoken_s = len(sentence.speech) / self._rate_hz
        natural_s = spoken_s * sentence.speed
        start_s = max(sentence.start_s, self._free_from_s)
        known = following is not None or self._ended
        if not known and self._settled_s < start_s + natural_s + self._settings.gap_s:
            return False  # the next sentence may yet start inside; wait for it
        slot = Slot.before(
            (sentence.start_s, sentence.end_s),
            (following.start_s, following.end_s) if following else None,
            self._duration_s,
            self._settings.gap_s,
            can_wait=following is None or not following.kept,
        )
        placement = place(
            spoken_s,
            slot,
            settings=self._settings,
            speed=sentence.speed,
            free_from_s=self._free_from_s,
            before=self._before,
        )
        if following is not None and placement.verdict is Verdict.OVERFLOW and not following.decided:
            return False  # whether it can wait is not known yet
        samples = self._stretch(sentence.speech, self._rate_hz, placement.stretch)
        if self._match is not None and sentence.loudness is not None:
            samples = samples * np.float32(10.0 ** (self._match.next_gain_db(sentence.loudness) / 20.0))
        sentence.first_sample = round(placement.start_s * self._rate_hz)
        sentence.samples = _faded(samples[: max(0, self._total_samples - sentence.first_sample)], self._rate_hz)
        sentence.speech = None
        sentence.placement = placement
        self._free_from_s = placement.end_s
        return True

    def _final_s(self) -> float:
        for sentence in self._sentences:
            if not sentence.resolved:
                return max(sentence.start_s, self._free_from_s) if sentence.speech is not None else sentence.start_s
        return self._duration_s if self._ended else self._settled_s


def _faded(samples: Mono, sample_rate_hz: int) -> Mono:
    count = min(round(FADE_S * sample_rate_hz), len(samples) // 2)
    if count == 0:
        return samples
    ramp = np.linspace(0.0, 1.0, count, dtype=np.float32)
    faded = samples.astype(np.float32, copy=True)
    faded[:count] *= ramp
    faded[-count:] *= ramp[::-1]
    return faded


def _mix(out: Mono, out_first: int, samples: Mono, first: int) -> None:
    begin, end = max(out_first, first), min(out_first + len(out), first + len(samples))
    if begin < end:
        out[begin - out_first : end - out_first] += samples[begin - first : end - first]
