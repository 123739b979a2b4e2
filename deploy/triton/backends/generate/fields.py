"""Typed access to the fields of a JSON object; every error names folder, field and what it should be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class BadFolder(ValueError):
    """A version's folder cannot be served: a file is missing or holds something odd. Fails the load."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"{folder}: {reason}")
        self.folder, self.reason = folder, reason


_REQUIRED: Any = object()


@dataclass(frozen=True)
class Fields:
    """The fields of one object of generation.json. A field without a default is required."""

    folder: Path
    raw: Mapping[str, Any]
    where: str
    """Path of the object within the file; "" for the whole."""

    def has(self, name: str) -> bool:
        """Tell whether the field is there and not null."""
        return self.raw.get(name) is not None

    def wrong(self, name: str, wanted: str) -> BadFolder:
        """Make the error for a field that is not as it should be."""
        path = f"{self.where}.{name}" if self.where else name
        if name not in self.raw:
            return BadFolder(self.folder, f"generation.json: {path} is missing; it must be {wanted}")
        return BadFolder(self.folder, f"generation.json: {path} must be {wanted}, it is {self.raw[name]!r:.80}")

    def integer(self, name: str, least: int, most: int | None = None, default: int = _REQUIRED) -> int:
        """Return a whole number within limits."""
        value = self.raw.get(name, default)
        if not _is_integer(value, least, most):
            raise self.wrong(name, f"a whole number {_limits(least, most)}")
        return int(value)

    def number(
        self, name: str, least: float | None = None, most: float | None = None, default: float = _REQUIRED
    ) -> float:
        """Return a finite number within limits."""
        value = self.raw.get(name, default)
        if not _is_number(value, least, most):
            raise self.wrong(name, f"a number {_limits(least, most)}".rstrip())
        return float(value)

    def text(self, name: str, default: str = _REQUIRED) -> str:
        """Return a text that is not empty."""
        value = self.raw.get(name, default)
        if not isinstance(value, str) or (not value and name in self.raw):
            raise self.wrong(name, "a text")
        return value

    def switch(self, name: str, default: bool = _REQUIRED) -> bool:
        """Return true or false."""
        value = self.raw.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def integers(
        self, name: str, least: int, most: int | None = None, default: tuple[int, ...] = _REQUIRED
    ) -> tuple[int, ...]:
        """Return a list of whole numbers within limits; a single number counts as a list of one."""
        value = self.raw.get(name, default)
        items = [value] if _is_integer(value, least, most) else value
        if not isinstance(items, list | tuple) or not all(_is_integer(item, least, most) for item in items):
            raise self.wrong(name, f"a list of whole numbers {_limits(least, most)}")
        return tuple(items)

    def integer_map(self, name: str, least: int, most: int | None = None) -> dict[int, int]:
        """Return an object whose keys are whole numbers (as texts: JSON has no others), its values within limits."""
        value = self.raw.get(name, {})
        wanted = f'an object like {{"0": 5}} with whole numbers {_limits(least, most)}'
        if not isinstance(value, dict) or not all(key.isdecimal() for key in value):
            raise self.wrong(name, wanted)
        if not all(_is_integer(item, least, most) for item in value.values()):
            raise self.wrong(name, wanted)
        return {int(key): item for key, item in value.items()}

    def inner(self, name: str) -> Fields:
        """Return the object under a name."""
        value = self.raw.get(name)
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Fields(self.folder, value, f"{self.where}.{name}" if self.where else name)

    def only(self, *names: str) -> None:
        """Refuse (BadFolder) fields that are none of `names`: a misspelt setting must not pass for its default."""
        odd = sorted(set(self.raw) - set(names))
        if odd:
            where = f"{self.where}: " if self.where else ""
            raise BadFolder(self.folder, f"generation.json: {where}unknown field(s) {', '.join(odd)}")


def _is_integer(value: object, least: int, most: int | None) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and _is_number(value, least, most)


def _is_number(value: object, least: float | None, most: float | None) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def _limits(least: float | None, most: float | None) -> str:
    low = "" if least is None else f"from {least:g}"
    return low if most is None else f"{low} to {most:g}"
