"""Puts a version into the model repository: as a whole or not at all, and never over another."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from client.version_folders import versions as versions  # part of what this module offers
from export.errors import NotInstalled, VersionExists

_PREFIX = ".export-"


@dataclass(frozen=True)
class Staging:
    """Where a version is made: in the model's own folder, so that one rename brings it into its place.

    Triton looks only at folders whose names are numbers.
    """

    version: int
    folder: Path
    """Becomes the version's folder."""
    work: Path
    """For everything else; goes away."""
    install: Callable[[], Path]
    """Move the version to its place and return that. Without it nothing stays. Raises VersionExists."""


@contextmanager
def staging(repository: Path, model: str, version: int | None) -> Iterator[Staging]:
    """Make room for a version (None: the next free number); on leaving, nothing stays but what was installed.

    Raises:
        VersionExists: before anything is made, or when another export was faster.
        NotInstalled: the disk is full, or the folders cannot be written.
    """
    if not repository.is_dir():
        raise NotInstalled(f"there is no model repository {repository}")
    model_folder = repository / model
    existing = versions(model_folder)
    number = version if version is not None else max(existing, default=0) + 1
    target = model_folder / str(number)
    if target.exists():
        raise VersionExists(_exists(model, number, existing))
    is_new = not model_folder.exists()
    try:
        model_folder.mkdir(exist_ok=True)
        _sweep(model_folder)
        room = model_folder / f"{_PREFIX}{os.getpid()}"
        try:
            (room / "version").mkdir(parents=True)
            (room / "work").mkdir()

            def install() -> Path:
                _sync(room / "version")
                try:
                    (room / "version").rename(target)
                except OSError as error:
                    if target.exists():
                        raise VersionExists(_exists(model, number, versions(model_folder))) from error
                    raise
                _sync(model_folder, deep=False)
                return target

            yield Staging(number, room / "version", room / "work", install)
        finally:
            shutil.rmtree(room, ignore_errors=True)
            if is_new:
                with suppress(OSError):  # not empty: something was installed
                    model_folder.rmdir()
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotInstalled(f"version {number} of {model} cannot be written into {repository}: {reason}") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file beside the repository's, as a whole or not at all; NotInstalled names the reason."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        _sync_one(partial)
        partial.replace(path)
    except OSError as error:
        raise NotInstalled(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _exists(model: str, number: int, existing: list[int]) -> str:
    there_are = ", ".join(map(str, existing)) or "none that is a version"
    return f"{model} has a version {number} already (there are {there_are}); leave --version out for the next number"


def _sweep(model_folder: Path) -> None:
    """Remove what exports left that were killed."""
    for room in model_folder.glob(f"{_PREFIX}*"):
        owner = room.name.removeprefix(_PREFIX)
        if owner == str(os.getpid()) or not Path("/proc", owner).exists():
            shutil.rmtree(room, ignore_errors=True)


def _sync(folder: Path, *, deep: bool = True) -> None:
    """Have the kernel write the folder's entries (and files) out: a rename must not outlive its content."""
    for path in sorted(folder.rglob("*")) if deep else ():
        _sync_one(path)
    _sync_one(folder)


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
