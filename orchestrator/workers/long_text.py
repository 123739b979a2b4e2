"""A text that is longer than an engine takes, cut where a speaker would pause. Pure."""

from orchestrator.subtitles.units import Unit, joined, plain, units_of


def split_text(text: str, language: str, max_chars: int | None) -> list[str]:
    """Return `text` in parts of at most `max_chars` characters, in order; in one part where it fits or None is given.

    Cut at the last end of a sentence that fits, else of a clause, else between words, and inside a word only where not
    even that fits.
    """
    if max_chars is None or len(text) <= max_chars:
        return [text]
    units, parts = units_of(plain(text), language), []
    while units:
        count = _fitting(units, max_chars)
        if count < len(units):
            count = min(range(1, count + 1), key=lambda end: (units[end - 1].break_cost, -end))
        part = joined(units[:count])
        parts += [part[start : start + max_chars] for start in range(0, len(part), max_chars)]
        units = units[count:]
    return parts


def _fitting(units: list[Unit], max_chars: int) -> int:
    """Return how many units fit into one part, at least 1."""
    length = 0
    for count, unit in enumerate(units):
        length += len(unit.text)
        if length > max_chars:
            return max(1, count)
        length += unit.spaced
    return len(units)
