"""What became of every swap: a line each in <model>/history.jsonl of the repository, which rollback reads."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from orchestrator.errors import RepositoryUnusable

_NAME = "history.jsonl"


class Action(StrEnum):
    """What was asked for."""

    SWAP = "swap"
    ROLLBACK = "rollback"
    RETIRE = "retire"
    """The version before, kept for pinned sessions, was let go."""
    PRUNE = "prune"
    """`from_version` was deleted."""


class Result(StrEnum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"
    """The version was never served to anybody."""
    REVERTED = "reverted"
    """It was served, did not answer as it should, and what served before serves again."""


class SwapRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    at: str
    """ISO 8601, UTC."""
    model: str
    action: Action
    by: str
    """Who: user@host from the command line, rest@address over REST."""
    from_version: int | None
    """What served before; None: nothing."""
    to_version: int | None
    result: Result
    reason: str = ""
    """Why not."""
    checked: str = ""
    """How the version was tried before it served."""
    took_s: float = 0.0


def now() -> str:
    """Return the time as records have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def append(root: Path, record: SwapRecord) -> None:
    """Write one line, durably. Raises RepositoryUnusable."""
    path = root / record.model / _NAME
    try:
        with path.open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            torn = file.read(1) not in (b"", b"\n")  # the last writer died in its line: it must not take ours along
            file.write(b"\n" * torn + msgspec.json.encode(record) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RepositoryUnusable(f"{path} cannot be written: {error.strerror or error}") from error


def read(root: Path, model: str) -> list[SwapRecord]:
    """Return the records, oldest first; a line that was cut off (a full disk, a power cut) is left out."""
    path = root / model / _NAME
    records = []
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            records.append(msgspec.json.decode(line, type=SwapRecord))
        except msgspec.MsgspecError:
            continue
    return records


def served_before(records: Sequence[SwapRecord], served: int | None, existing: Sequence[int]) -> int | None:
    """Return what a rollback from `served` goes to: each swap is a step forward, each rollback takes one back."""
    steps: list[int] = []
    for record in records:
        if record.result is not Result.DONE:
            continue
        if record.action is Action.SWAP and record.from_version is not None:
            steps.append(record.from_version)
        elif record.action is Action.ROLLBACK:
            while steps and steps.pop() != record.to_version:
                pass
    return next((version for version in reversed(steps) if version != served and version in existing), None)
