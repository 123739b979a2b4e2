"""Has a session keep the versions that it begins with, whatever is swapped while it runs."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from client.contracts import Task
from client.pinned import pinned, split_pinned
from orchestrator.settings import EngineSettings


class TakesPins(Protocol):
    """orchestrator/store/pins.py."""

    def take(self, session_id: uuid.UUID, versions: Mapping[str, int]) -> None:
        """Note what a session begins with."""
        ...

    def release(self, session_id: uuid.UUID) -> None:
        """Forget a session."""
        ...


class TellsVersions(Protocol):
    """orchestrator/engines.py."""

    def served_versions(self) -> dict[str, str]:
        """Return the versions that are served of each model, "1" or "1 2". Raises EngineError."""
        ...


@contextmanager
def pinned_engines(
    session_id: uuid.UUID, wanted: Mapping[str, str], settings: EngineSettings, engines: TellsVersions, pins: TakesPins
) -> Iterator[dict[str, str]]:
    """Yield task -> "model@version" for every task that has an engine, and hold these versions for the block.

    A model that is not loaded, or that the request names with a version itself, stays as it was named.
    """
    with held(session_id, _with_versions(wanted, settings, engines.served_versions()), pins) as chosen:
        yield chosen


@contextmanager
def held(session_id: uuid.UUID, chosen: Mapping[str, str], pins: TakesPins) -> Iterator[dict[str, str]]:
    """Hold the versions that `chosen` (task -> model) names, if any, for the block; yields `chosen`."""
    versions = {model: int(version) for model, version in map(split_pinned, chosen.values()) if version}
    if not versions:
        yield dict(chosen)
        return
    pins.take(session_id, versions)
    try:
        yield dict(chosen)
    finally:
        pins.release(session_id)


def _with_versions(wanted: Mapping[str, str], settings: EngineSettings, served: Mapping[str, str]) -> dict[str, str]:
    named = {task.value: wanted.get(task.value) or getattr(settings, task.value) for task in Task}
    newest = {model: max(map(int, versions.split())) for model, versions in served.items() if versions}
    chosen: dict[str, str] = {}
    for task, name in named.items():
        model, version = split_pinned(name)
        if name:
            chosen[task] = name if version or model not in newest else pinned(model, str(newest[model]))
    return chosen
