"""Time: wall clock in whole milliseconds for what leaves the process."""

import time


def now_ms() -> int:
    """Unix time in milliseconds (the paper's timestamp resolution)."""
    return time.time_ns() // 1_000_000
