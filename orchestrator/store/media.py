"""The media store: one folder a dub, names of our own making, on any file system that fsspec speaks."""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from orchestrator.errors import ArtefactNotReady, StoreUnavailable
from orchestrator.store.artefacts import check_name

DELETE_TRIES = 5
CACHE_FOLDER = "cache"
"""Of the stage cache, in a dub's folder: no artefacts."""


class MediaStore:
    """Keeps artefacts under `<media_url>/<dub id>/<artefact name>`.

    `media_url` is any fsspec URL. A relative local one (`file://.run/media`) is resolved against the working directory
    of the process when the store is made, once: gateway and owner must start in the same folder, or name an absolute
    one (`file:///srv/polylip/media`). On a local disk an artefact appears whole or not at all, and is on disk when the
    call returns; object stores promise the same of a put.

    Every call raises StoreUnavailable when the store cannot be reached or is full, and ValueError for a name that is
    no artefact's.
    """

    def __init__(self, media_url: str) -> None:
        """Open the store; a local folder is made."""
        with _translated():
            self._fs, root = fsspec.core.url_to_fs(media_url)
            self._root = root.rstrip("/")
            self._local = isinstance(self._fs, LocalFileSystem)
            if self._local:
                Path(self._root).mkdir(parents=True, exist_ok=True)

    def put_file(self, dub_id: uuid.UUID, name: str, local_path: Path) -> None:
        """Store a copy of a local file, over an earlier one of the same name."""
        target = self._path(dub_id, name)
        if not self._local:
            with _translated():
                self._fs.put_file(str(local_path), target)
            return
        with local_path.open("rb") as source, _translated(), _whole(Path(target)) as sink:
            shutil.copyfileobj(source, sink, 1024 * 1024)

    def put_bytes(self, dub_id: uuid.UUID, name: str, content: bytes, *, durable: bool = True) -> None:
        """Store `content`, over an earlier artefact of the same name.

        Without `durable` a power cut may lose it, or part of it: for what can be made again, and tells its damage.
        """
        target = self._path(dub_id, name)
        with _translated():
            if not self._local:
                self._fs.pipe_file(target, content)
                return
            with _whole(Path(target), durable=durable) as sink:
                sink.write(content)

    def fetch(self, dub_id: uuid.UUID, name: str, to_local_path: Path) -> None:
        """Copy an artefact to a local file; raises ArtefactNotReady when there is none."""
        with _translated(name):
            self._fs.get_file(self._path(dub_id, name), str(to_local_path))

    def open(self, dub_id: uuid.UUID, name: str) -> BinaryIO:
        """Open an artefact to read and seek in; raises ArtefactNotReady when there is none."""
        with _translated(name):
            return cast(BinaryIO, self._fs.open(self._path(dub_id, name), "rb"))

    def exists(self, dub_id: uuid.UUID, name: str) -> bool:
        """Tell whether there is such an artefact."""
        with _translated():
            return bool(self._fs.exists(self._path(dub_id, name)))

    def size(self, dub_id: uuid.UUID, name: str) -> int:
        """Return its size in bytes; raises ArtefactNotReady when there is none."""
        with _translated(name):
            return int(self._fs.size(self._path(dub_id, name)))

    def version(self, dub_id: uuid.UUID, name: str) -> str:
        """Return a short text that changes whenever the artefact does; raises ArtefactNotReady when there is none."""
        with _translated(name):
            return str(self._fs.ukey(self._path(dub_id, name)))[:32]

    def names(self, dub_id: uuid.UUID) -> list[str]:
        """Return the names of the artefacts that the dub has, sorted."""
        with _translated():
            folder = self._folder(dub_id)
            self._fs.invalidate_cache(folder)
            if not self._fs.exists(folder):
                return []
            found = (str(path).rsplit("/", 1)[-1] for path in self._fs.ls(folder, detail=False))
            return sorted(name for name in found if not name.startswith(".") and name != CACHE_FOLDER)

    def remove(self, dub_id: uuid.UUID, name: str) -> None:
        """Erase one artefact; nothing happens when there is none."""
        with _translated(), suppress(FileNotFoundError):
            self._fs.rm_file(self._path(dub_id, name))

    def cache_bytes(self, dub_id: uuid.UUID) -> int:
        """Return how much the dub's stage cache holds."""
        with _translated():
            folder = f"{self._folder(dub_id)}/{CACHE_FOLDER}"
            self._fs.invalidate_cache(folder)
            return int(self._fs.du(folder)) if self._fs.exists(folder) else 0

    def delete(self, dub_id: uuid.UUID) -> None:
        """Erase everything of one dub; nothing happens when there is nothing."""
        with _translated():
            folder = self._folder(dub_id)
            self._fs.invalidate_cache(folder)
            for left in reversed(range(DELETE_TRIES)):
                try:
                    if self._fs.exists(folder):
                        self._fs.rm(folder, recursive=True)
                    return
                except OSError as error:  # an owner that has not heard of it yet has just written a file, or moved one
                    if error.errno not in (errno.ENOTEMPTY, errno.ENOENT) or not left:
                        raise

    def dubs_before(self, changed_before_ms: int) -> list[uuid.UUID]:
        """Return the dubs whose folder did not change since then (a file system without folders tells by its files)."""
        with _translated():
            self._fs.invalidate_cache(self._root)
            if not self._fs.exists(self._root):
                return []
            folders = self._fs.ls(self._root, detail=False)
            return [
                dub_id
                for dub_id in map(_dub_of, folders)
                if dub_id is not None and self._changed_at_ms(dub_id) < changed_before_ms
            ]

    def _changed_at_ms(self, dub_id: uuid.UUID) -> int:
        folder = self._folder(dub_id)
        if self._local:
            return Path(folder).stat().st_mtime_ns // 1_000_000
        times: list[datetime] = [self._fs.modified(path) for path in self._fs.find(folder)]
        newest = max((time if time.tzinfo else time.replace(tzinfo=UTC) for time in times), default=None)
        return int(newest.timestamp() * 1000) if newest else 0

    def _folder(self, dub_id: uuid.UUID) -> str:
        return f"{self._root}/{uuid.UUID(str(dub_id))}"

    def _path(self, dub_id: uuid.UUID, name: str) -> str:
        return f"{self._folder(dub_id)}/{check_name(name)}"


def _dub_of(path: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(path).rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        return None  # not one of ours


@contextmanager
def _translated(name: str = "") -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if name:
            raise ArtefactNotReady(f"there is no {name} (yet)") from error
        raise StoreUnavailable(f"media store: {error}") from error
    except OSError as error:
        raise StoreUnavailable(f"media store: {error.strerror or error}") from error


@contextmanager
def _whole(target: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Write beside `target` and put it in place at the end, both safely on disk; nothing is left after an error.

    Without `durable` the disk is not waited for.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as sink:
            yield sink
            if durable:
                sink.flush()
                os.fsync(sink.fileno())
        part.replace(target)
        if durable:
            _sync_folder(target.parent)
            _sync_folder(target.parent.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
