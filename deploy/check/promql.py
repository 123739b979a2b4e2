"""Which series a PromQL expression asks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser

_VARIABLE = re.compile(r"\$\w+|\$\{\w+\}")


@dataclass(frozen=True, slots=True)
class Selector:
    """One vector selector."""

    metric: str
    """As written, with its suffix (`_bucket`, `_total`, …)."""
    labels: tuple[str, ...]
    """That its matchers name."""


def selectors(expression: str) -> list[Selector]:
    """Return all selectors of an expression; raises ValueError for what is no PromQL, or names a variable."""
    if _VARIABLE.search(expression):
        raise ValueError(f"a variable stands in {expression!r}")
    return list(_walk(promql_parser.parse(expression)))


def _walk(node: object) -> Iterator[Selector]:
    if isinstance(node, promql_parser.VectorSelector):
        matchers = tuple(each.name for each in node.matchers.matchers)
        yield Selector(node.name or "", matchers)
        return
    for name in ("expr", "lhs", "rhs", "vector_selector", "args"):
        child = getattr(node, name, None)
        for each in child if isinstance(child, list) else [child]:
            if each is not None:
                yield from _walk(each)
