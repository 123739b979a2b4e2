"""Starts several processes at once and waits until each is ready."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.errors import StackFailed
from deploy.processes import Launch, ProcessRecord, spawn_detached, tail

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Child:
    """A process to be started."""

    name: str
    launch: Launch
    is_ready: Callable[[], bool]
    """Asked again and again while the process runs."""


def start_all(
    children: Sequence[Child], on_start: Callable[[str, ProcessRecord], None], timeout_s: float = 60.0
) -> None:
    """Start every child; return when all are ready.

    `on_start` is told of each before anything can go wrong with it, so that the caller can stop what was started.

    Raises:
        StackFailed: one ended or was not ready in time; the message ends with its log.
    """
    waiting: dict[str, tuple[Child, ProcessRecord]] = {}
    for child in children:
        child.launch.log_path.unlink(missing_ok=True)  # so that the tail of a log tells of this run
        record = spawn_detached(child.launch)
        on_start(child.name, record)
        waiting[child.name] = (child, record)
    deadline = time.monotonic() + timeout_s
    while waiting:
        for name, (child, record) in list(waiting.items()):
            if not record.is_running():
                raise _failed(child, "ended while it started")
            if child.is_ready():
                del waiting[name]
            elif time.monotonic() >= deadline:
                raise _failed(child, f"was not ready within {timeout_s:g} s")
        time.sleep(_POLL_S)


def _failed(child: Child, what: str) -> StackFailed:
    log = child.launch.log_path
    return StackFailed(f"{child.name} {what}; last lines of {log}:\n{tail(log)}")
