"""What the gate of a bundle saw: named figures with their limits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from export.errors import ParityMissed


@dataclass(frozen=True)
class Measure:
    """One figure; beyond its limit the version is refused."""

    name: str
    value: float
    limit: float | None
    """None: stated, not judged."""
    at_least: bool = False
    """Whether the limit is the least value allowed; else it is the greatest."""

    @property
    def fits(self) -> bool:
        """Whether the figure is within its limit; NaN never is."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def bar(self) -> str:
        """The limit in words; "" where there is none."""
        if self.limit is None:
            return ""
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g}"

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4g}" + (f" ({self.bar})" if self.bar else "")


@dataclass(frozen=True)
class GateRecord:
    """The gate's record of one precision, for the manifest and the screen."""

    precision: str
    seed: int
    reference: str
    """The library that the version was compared with, and its release."""
    inputs: Mapping[str, object]
    """What was fed: counts, lengths, tokens compared."""
    measures: tuple[Measure, ...]

    def as_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def check_measures(what: str, measures: Sequence[Measure]) -> None:
    """Raise ParityMissed with all figures when one is beyond its limit."""
    if not all(measure.fits for measure in measures):
        raise ParityMissed(f"{what}: {'; '.join(map(str, measures))}")
