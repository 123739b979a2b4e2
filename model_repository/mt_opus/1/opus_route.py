"""The way from one language to another over the models that are ready. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine_kit.refusals import InvalidRequest


@dataclass(frozen=True)
class Hop:
    """One translation."""

    model: str
    target: str
    """Language to translate into."""


def route(source: str, target: str, ready: Mapping[str, str], pivot: str) -> tuple[Hop, ...]:
    """Return the translations to make, in order: none, one, or two by way of `pivot`.

    `ready`: pair ("en-es") -> model. InvalidRequest names the pairs there are, when no way leads there.
    """
    if source == target:
        return ()
    direct = ready.get(f"{source}-{target}")
    if direct is not None:
        return (Hop(direct, target),)
    first, second = ready.get(f"{source}-{pivot}"), ready.get(f"{pivot}-{target}")
    if first is not None and second is not None:
        return (Hop(first, pivot), Hop(second, target))
    known = " ".join(reachable(ready, pivot)) or "none: no model of a pair is loaded (polylip models export marian)"
    raise InvalidRequest(f"language pair '{source}-{target}' is not served; there are: {known}")


def reachable(ready: Mapping[str, str], pivot: str) -> list[str]:
    """Return all pairs that can be translated, directly or by way of `pivot`, sorted."""
    pairs = [pair.split("-") for pair in ready]
    into, out = [one for one, other in pairs if other == pivot], [other for one, other in pairs if one == pivot]
    through = [f"{source}-{target}" for source in into for target in out if source != target]
    return sorted({*ready, *through})
