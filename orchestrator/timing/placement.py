"""Where one dubbed sentence lies and how fast it is: a pure rule, so the same speech always lands at the same place.

In this order: natural rate; faster, up to `preferred_max_rate`, to end with the source sentence; the silence after it;
faster still, up to `max_rate` (`tight`); else `overflow`, and the next sentence waits. Speech is never cut, never
overlaps its neighbour, and starts with its source sentence unless the one before overflows. The rate of neighbours
changes by `max_rate_step` at most, as far as the speech then fits. All rates are of the speech against its natural one,
whether the engine spoke so fast or the speech was stretched.
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
    end_s: float
    """End of the source sentence."""
    room_until_s: float
    """Where the speech should end: the next sentence less a gap, or the clip's end."""
    hard_until_s: float
    """Where it must end whatever the rate: the middle of the next sentence, so that one always keeps half of its own
    slot; the start of a next sentence whose own sound is kept, for that cannot wait; or the clip's end."""

    @classmethod
    def before(
        cls,
        span: tuple[float, float],
        following: tuple[float, float] | None,
        clip_end_s: float,
        gap_s: float,
        *,
        can_wait: bool = True,
    ) -> "Slot":
        """Return the slot of the sentence at `span` (start, end), followed by the one at `following` or by nothing.

        `can_wait`: the following sentence is dubbed, so its speech may begin later than its source.
        """
        start_s, end_s = span
        if following is None:
            return cls(start_s, min(end_s, clip_end_s), clip_end_s, clip_end_s)
        next_start_s, next_end_s = following
        room_until_s = max(min(end_s, next_start_s), next_start_s - gap_s)
        middle_s = (next_start_s + min(next_end_s, clip_end_s)) / 2
        return cls(start_s, min(end_s, room_until_s), room_until_s, middle_s if can_wait else next_start_s)


@dataclass(frozen=True, slots=True)
class Placement:
    """Times in seconds of the source's clock."""

    start_s: float
    end_s: float
    rate: float
    """1 = natural; above 1 = faster. The engine's speed times the stretch."""
    natural_s: float
    """Duration at rate 1."""
    verdict: Verdict
    speed: float = 1.0
    """The part of the rate that the engine was asked for."""
    borrowed_s: float = 0.0
    """Silence after the source sentence that the speech takes."""
    onset_error_s: float = 0.0
    """How much later than its source sentence the speech starts."""

    @property
    def stretch(self) -> float:
        """The part of the rate that is done to the finished speech; below 1 it is slowed down."""
        return self.rate / self.speed


def place(
    spoken_s: float,
    slot: Slot,
    *,
    settings: TimingSettings,
    speed: float = 1.0,
    free_from_s: float = 0.0,
    before: Placement | None = None,
) -> Placement:
    """Place speech that lasts `spoken_s` seconds (> 0) as the engine spoke it at `speed` (>= 1).

    `free_from_s`: end of the last speech. `before`: the neighbour whose rate this one must not jump from; None after a
    sentence whose own sound is kept. After `neighbour_s` of silence a sentence has no neighbour.
    """
    natural_s = spoken_s * speed
    start_s = max(slot.start_s, free_from_s)
    needed = _rate_to_fit(natural_s, slot.room_until_s - start_s)
    wanted = max(speed, min(_rate_to_fit(natural_s, slot.end_s - start_s), settings.preferred_max_rate))
    if before is not None and start_s - before.end_s < settings.neighbour_s:
        slowest = min(before.rate / settings.max_rate_step, settings.preferred_max_rate)
        wanted = min(max(wanted, slowest), before.rate * settings.max_rate_step)
    must = _rate_to_fit(natural_s, slot.hard_until_s - start_s)
    rate = max(wanted, min(needed, settings.max_rate), must, 1.0)
    end_s = start_s + natural_s / rate
    return Placement(
        start_s,
        end_s,
        rate,
        natural_s,
        _verdict(needed, settings),
        speed=speed,
        borrowed_s=max(0.0, min(end_s, slot.room_until_s) - max(slot.end_s, start_s)),
        onset_error_s=start_s - slot.start_s,
    )


def _rate_to_fit(natural_s: float, room_s: float) -> float:
    return natural_s / room_s if room_s > 0 else float("inf")


def _verdict(needed_rate: float, settings: TimingSettings) -> Verdict:
    if needed_rate <= settings.preferred_max_rate:
        return Verdict.FITS
    return Verdict.TIGHT if needed_rate <= settings.max_rate else Verdict.OVERFLOW
