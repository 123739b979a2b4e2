"""Stretches in which a person has said whose lips move: they come before whoever is chosen otherwise."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from orchestrator.visual.casting import Cast, Casting, ChosenBy
from orchestrator.visual.seen import SeenFrame


class Overrule(NamedTuple):
    """One stretch, seconds of the source's clock; `end_s` is not part of it."""

    start_s: float
    end_s: float
    track: int
    """0: nobody's lips move."""


class OverruledCasting:
    """Another casting's choices, but for some stretches; a face that is not in sight there has no lips to move."""

    def __init__(self, casting: Casting, overrules: Sequence[Overrule]) -> None:
        """`overrules` may overlap: the one that starts last is meant."""
        self._casting = casting
        self._overrules = sorted(overrules, reverse=True)

    def push(self, seen: SeenFrame) -> Iterator[Cast]:
        """Take the next frame; yield what the other has decided."""
        return map(self._overruled, self._casting.push(seen))

    def finish(self) -> Iterator[Cast]:
        """Decide the rest."""
        return map(self._overruled, self._casting.finish())

    def _overruled(self, cast: Cast) -> Cast:
        time_s = cast.seen.time_s
        overrule = next((one for one in self._overrules if one.start_s <= time_s < one.end_s), None)
        if overrule is None:
            return cast
        if any(face.track == overrule.track for face in cast.seen.faces):
            return Cast(cast.seen, overrule.track, ChosenBy.CORRECTION)
        return Cast(cast.seen, 0, None)
