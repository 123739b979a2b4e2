"""Asks a source again that fails for the moment, with longer and longer pauses, and gives up in the end."""

import time
from collections.abc import Callable
from typing import TypeVar

from export.pull.errors import PullError, RateLimited

Result = TypeVar("Result")

_TRIES = 5
"""Without a byte of progress between them."""
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
"""A source that asks for more patience than this ends the pull, with the time that it asks for."""


class Patience:
    """How failures are borne with."""

    def __init__(
        self, wait: Callable[[float], None] = time.sleep, say: Callable[[str], None] = lambda text: None
    ) -> None:
        """`wait` sleeps for so many seconds; `say` is told why and how long."""
        self._wait = wait
        self._say = say

    def ask(self, attempt: Callable[[], Result], progress: Callable[[], int] = lambda: 0) -> Result:
        """Return what the attempt returns; after a failure that is `retryable` it is made again.

        `progress`: bytes that are here. Raises the attempt's last PullError.
        """
        failures, pause_s = 0, _FIRST_PAUSE_S
        while True:
            before = progress()
            try:
                return attempt()
            except PullError as error:
                if not error.retryable:
                    raise
                if progress() > before:
                    failures, pause_s = 0, _FIRST_PAUSE_S
                failures += 1
                asked_s = (error.retry_after_s if isinstance(error, RateLimited) else None) or 0.0
                if failures >= _TRIES or asked_s > _LONGEST_PAUSE_S:
                    raise
                next_s = max(asked_s, pause_s)
                self._say(f"{error}; once more in {next_s:.0f} s")
                self._wait(next_s)
                pause_s *= 2
