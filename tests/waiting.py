"""Waiting for something to become true, without sleeping for luck: it returns as soon as it is true."""

import time
from collections.abc import Callable

POLL_S = 0.005


def eventually(condition: Callable[[], object], timeout_s: float = 15.0, what: str = "the condition") -> None:
    """Return when `condition()` is true; fail the test when it has not become so within `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"{what} did not come true within {timeout_s:g} s"
        time.sleep(POLL_S)
