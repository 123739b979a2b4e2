"""Where one dubbed sentence lies: a pure rule, so that the same speech always lands at the same place.

Speech starts with its source sentence and may use the silence up to the next one. Speech that is still too long is
sped up (pitch kept) as far as `max_rate`; it is never cut and never overlaps its neighbour.
"""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.settings import TimingSettings


class Verdict(StrEnum):
    """How well the speech fits."""

    FITS = "fits"
    """Natural rate, or at most `preferred_max_rate`."""
    TIGHT = "tight"
    """Audibly fast: between `preferred_max_rate` and `max_rate`."""
    OVERFLOW = "overflow"
    """Longer than its slot even at `max_rate`: the next sentence waits; where it cannot, the rate goes higher."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The time that one sentence may take. Times in seconds of the source's clock."""

    start_s: float
    """Start of the source sentence."""
    room_until_s: float
    """Where the speech should end: the next sentence less a gap, or the clip's end."""
    hard_until_s: float
    """Where it must end whatever the rate: the middle of the next sentence, so that one always keeps half of its own
    slot; or the clip's end."""

    @classmethod
    def before(cls, start_s: float, following: tuple[float, float] | None, clip_end_s: float, gap_s: float) -> "Slot":
        """Return the slot of a sentence that is followed by the sentence at `following` (start, end), or by nothing."""
        if following is None:
            return cls(start_s, clip_end_s, clip_end_s)
        next_start_s, next_end_s = following
        return cls(start_s, next_start_s - gap_s, (next_start_s + min(next_end_s, clip_end_s)) / 2)


@dataclass(frozen=True, slots=True)
class Placement:
    """Times in seconds of the source's clock."""

    start_s: float
    end_s: float
    rate: float
    """1 = natural; above 1 = faster."""
    natural_s: float
    """Duration at rate 1."""
    verdict: Verdict


def place(natural_s: float, slot: Slot, *, free_from_s: float, settings: TimingSettings) -> Placement:
    """Place speech of `natural_s` seconds (> 0) into its slot, not before `free_from_s`, the end of the one before."""
    start_s = max(slot.start_s, free_from_s)
    wanted = _rate_to_fit(natural_s, slot.room_until_s - start_s)
    rate = max(min(wanted, settings.max_rate), _rate_to_fit(natural_s, slot.hard_until_s - start_s), 1.0)
    return Placement(start_s, start_s + natural_s / rate, rate, natural_s, _verdict(wanted, settings))


def _rate_to_fit(natural_s: float, room_s: float) -> float:
    return natural_s / room_s if room_s > 0 else float("inf")


def _verdict(wanted_rate: float, settings: TimingSettings) -> Verdict:
    if wanted_rate <= settings.preferred_max_rate:
        return Verdict.FITS
    return Verdict.TIGHT if wanted_rate <= settings.max_rate else Verdict.OVERFLOW
