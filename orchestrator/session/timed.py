"""How long an iterator takes to make its items."""

import time
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Timed(Generic[T]):
    """Passes an iterator on and adds up the time spent in it."""

    def __init__(self, items: Iterator[T]) -> None:
        """Closing this closes `items` if it is a generator."""
        self._items = items
        self.seconds = 0.0
        """Wall clock spent waiting for items so far."""

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        begin = time.monotonic()
        try:
            return next(self._items)
        finally:
            self.seconds += time.monotonic() - begin

    def close(self) -> None:
        """Release what the iterator holds."""
        if (close := getattr(self._items, "close", None)) is not None:
            close()
