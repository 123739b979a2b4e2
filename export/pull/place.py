"""The folder of all checkpoints: room on its disk, and one pull at a time."""

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from export.pull.download import here_bytes
from export.pull.errors import NotStored, PullBusy
from export.pull.files import RemoteFile

_SPARE_BYTES = 64 << 20
"""What a disk must have free beyond the files."""


def check_room(files: Sequence[RemoteFile], root: Path) -> None:
    """Refuse before the first byte what will not fit (NotStored); what is here already counts."""
    missing = sum(max(0, (file.size_bytes or 0) - here_bytes(file, root / file.path)) for file in files)
    if not missing:
        return
    folder = next(each for each in (root, *root.parents) if each.is_dir())
    free = shutil.disk_usage(folder).free
    if free < missing + _SPARE_BYTES:
        raise NotStored(
            f"{missing / 1e6:.0f} MB are still to come, {folder} has {free / 1e6:.0f} MB free: nothing was downloaded"
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder and keep other pulls out of it: two would write the same files. PullBusy, NotStored."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise NotStored(f"{folder} cannot be written: {error.strerror or error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PullBusy(f"another pull into {folder} is at work") from error
        yield
