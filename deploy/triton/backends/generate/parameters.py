"""Reads a family's `parameters` of config.pbtxt. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


class BadParameter(ValueError):
    """A parameter of config.pbtxt that cannot be; the message names it."""


def read(parameters: Mapping[str, str], key: str, parse: Callable[[str], T], default: T) -> T:
    """Return the parsed parameter, or `default` where it is not there; BadParameter when `parse` raises ValueError."""
    if key not in parameters:
        return default
    try:
        return parse(parameters[key])
    except ValueError as error:
        raise BadParameter(f"parameter {key} is {parameters[key]!r}: {error}") from error


def one_of(choices: Mapping[str, T]) -> Callable[[str], T]:
    """Return what takes one of these words."""

    def parse(text: str) -> T:
        if text not in choices:
            raise ValueError(f"expected {' or '.join(choices)}")
        return choices[text]

    return parse


def count(text: str) -> int:
    """Take a whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError("expected a whole number above 0")
    return number


def natural(text: str) -> int:
    """Take a whole number from 0."""
    number = int(text)
    if number < 0:
        raise ValueError("expected a whole number from 0")
    return number


def above_0(text: str) -> float:
    """Take a number above 0."""
    number = finite(text)
    if number <= 0:
        raise ValueError("expected a number above 0")
    return number


def finite(text: str) -> float:
    """Take a number."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number


def two_rising(text: str) -> tuple[float, float]:
    """Take two numbers above 0, the second not below the first."""
    numbers = [above_0(part) for part in text.split()]
    if len(numbers) != 2 or numbers[0] > numbers[1]:
        raise ValueError("expected two rising numbers above 0, separated by a space")
    return numbers[0], numbers[1]
