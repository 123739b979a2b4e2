"""One change of what is served at a time, over all processes that see the repository."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.errors import RepositoryUnusable, SwapInProgress

_NAME = ".swap.lock"


@contextmanager
def swap_lock(root: Path, what: str) -> Iterator[None]:
    """Hold the repository for one change; `what` tells others who ask. The kernel releases it when its holder dies.

    Raises:
        SwapInProgress: somebody else holds it, and what for.
        RepositoryUnusable: the repository cannot be written.
    """
    try:
        lock = (root / _NAME).open("a+", encoding="utf-8")
    except OSError as error:
        raise RepositoryUnusable(f"{root} cannot be written: {error.strerror or error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise SwapInProgress(f"under way already: {lock.read().strip() or 'another swap'}") from error
        lock.truncate(0)
        lock.write(what)
        lock.flush()
        yield
        lock.truncate(0)
