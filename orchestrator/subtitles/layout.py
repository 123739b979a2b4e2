"""Breaking a sentence into cues of at most two lines, at good places and evenly."""

import itertools

from orchestrator.subtitles.units import MAX_LINE_WIDTH, Unit, joined, units_of, widths

MAX_LINES = 2
IMBALANCE_COST = 10.0
"""Of two lines, or of two cues, one of which is empty and the other full."""


def cue_texts(text: str, language: str, at_least: int = 1) -> list[str]:
    """Return the texts of the cues of one sentence, their lines separated by a line break.

    As few as the text needs, or `at_least` so many where there are so many words; none for an empty text. `text` is
    plain (units.py).
    """
    units = units_of(text, language)
    if not units:
        return []
    count = max(_fewest(units), min(at_least, len(units)))
    bounds = _best_bounds(units, count)
    return [_lines(units[first:last]) for first, last in itertools.pairwise(bounds)]


def _fewest(units: list[Unit]) -> int:
    """Return how many cues the units need at least: each takes as many as fit."""
    count, first = 0, 0
    while first < len(units):
        count += 1
        first = _reach(units, first)
    return count


def _reach(units: list[Unit], first: int) -> int:
    """Return the end of the longest run from `first` that fits one cue."""
    for _ in range(MAX_LINES):
        start = first
        while first < len(units) and widths(units[start : first + 1]) <= MAX_LINE_WIDTH:
            first += 1
    return first


def _best_bounds(units: list[Unit], count: int) -> list[int]:
    """Return the bounds [0, …, n] of exactly `count` cues with the least cost of breaks and imbalance."""
    even = max(widths(units), 1) / count  # a text may be nothing but marks of no width
    reach = [_reach(units, first) for first in range(len(units))]
    until = list(itertools.accumulate((unit.width + unit.spaced for unit in units), initial=0))
    rows: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]  # per number of cues: their end -> cost, the last start
    for number in range(1, count + 1):
        row: dict[int, tuple[float, int]] = {}
        for first, (cost, _) in rows[-1].items():
            for last in range(first + 1, reach[first] + 1):
                if (last == len(units)) != (number == count):
                    continue
                width = until[last] - until[first] - units[last - 1].spaced
                total = cost + IMBALANCE_COST * abs(width - even) / even
                total += units[last - 1].break_cost if number < count else 0.0
                if last not in row or total < row[last][0]:
                    row[last] = (total, first)
        rows.append(row)
    bounds = [len(units)]
    for row in reversed(rows[1:]):
        bounds.append(row[bounds[-1]][1])
    return bounds[::-1]


def _lines(units: list[Unit]) -> str:
    """Lay units that fit one cue out on one line, or on the two that break best."""
    if widths(units) <= MAX_LINE_WIDTH:
        return joined(units)
    fitting = [
        at
        for at in range(1, len(units))
        if widths(units[:at]) <= MAX_LINE_WIDTH and widths(units[at:]) <= MAX_LINE_WIDTH
    ]
    at = min(fitting, key=lambda at: _break_quality(units, at))
    return f"{joined(units[:at])}\n{joined(units[at:])}"


def _break_quality(units: list[Unit], at: int) -> float:
    above, below = widths(units[:at]), widths(units[at:])
    return units[at - 1].break_cost + IMBALANCE_COST * abs(above - below) / (above + below)
