"""How well the speech of a whole dub fits: the totals of `report.json`, from its sentences."""

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec

PERCENTILE = 0.95


class TimingReport(msgspec.Struct, frozen=True, kw_only=True):
    """Over all sentences that were dubbed; 0 when there is none."""

    speech_overlap: float = 0.0
    """Mean of the shorter duration over the longer one, dub against source, 0..1 (human dubs: about 0.7,
    arXiv 2212.12137)."""
    rate_p95: float = 0.0
    """The rate that 95 % of the sentences do not exceed; 1 = natural."""
    rate_max: float = 0.0
    speed_asked_p95: float = 0.0
    """The part of it that the engine was asked for, likewise."""
    slot_silent_share: float = 0.0
    """Share of the source's speech during which no dub is heard, 0..1."""
    borrowed_ms: int = 0
    """Silence between source sentences that the dub speaks in."""
    onset_error_ms_max: int = 0
    """Longest delay of a sentence behind its source."""


class Placed(Protocol):
    """What is needed of a sentence. Times in milliseconds of the source's clock."""

    @property
    def start_ms(self) -> int:
        """Start of the source sentence."""
        ...

    @property
    def end_ms(self) -> int:
        """Its end."""
        ...

    @property
    def dub_start_ms(self) -> int:
        """Start of its translated speech."""
        ...

    @property
    def dub_end_ms(self) -> int:
        """Its end."""
        ...

    @property
    def rate(self) -> float:
        """1 = natural."""
        ...

    @property
    def speed(self) -> float:
        """The engine's part of the rate."""
        ...

    @property
    def borrowed_ms(self) -> int:
        """Silence after the source sentence that is spoken in."""
        ...


def timing_report(dubbed: Sequence[Placed]) -> TimingReport:
    """Return the totals of the sentences that were dubbed."""
    if not dubbed:
        return TimingReport()
    rates = sorted(sentence.rate for sentence in dubbed)
    speeds = sorted(sentence.speed for sentence in dubbed)
    at_p95 = math.ceil(PERCENTILE * len(dubbed)) - 1
    return TimingReport(
        speech_overlap=round(sum(map(_overlap, dubbed)) / len(dubbed), 4),
        rate_p95=rates[at_p95],
        rate_max=rates[-1],
        speed_asked_p95=speeds[at_p95],
        slot_silent_share=round(_silent_share(dubbed), 4),
        borrowed_ms=sum(sentence.borrowed_ms for sentence in dubbed),
        onset_error_ms_max=max(abs(sentence.dub_start_ms - sentence.start_ms) for sentence in dubbed),
    )


def _overlap(sentence: Placed) -> float:
    durations = (sentence.end_ms - sentence.start_ms, sentence.dub_end_ms - sentence.dub_start_ms)
    return min(durations) / max(durations) if max(durations) > 0 else 0.0


def _silent_share(dubbed: Sequence[Placed]) -> float:
    slots_ms = sum(sentence.end_ms - sentence.start_ms for sentence in dubbed)
    heard_ms = sum(
        max(0, min(slot.end_ms, speech.dub_end_ms) - max(slot.start_ms, speech.dub_start_ms))
        for index, slot in enumerate(dubbed)
        for speech in dubbed[max(0, index - 2) : index + 1]  # an overflow reaches to the middle of the next one
    )
    return 1 - heard_ms / slots_ms if slots_ms else 0.0
