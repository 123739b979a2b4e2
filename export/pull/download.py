"""Brings one file here: goes on where an earlier attempt ended, checks what came, and only then gives it its name."""

import errno
import json
import os
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from export.pull.errors import DownloadCutOff, HashMismatch, NotStored, PullError, SourceBroken
from export.pull.files import Digest, RemoteFile, Seen, look_at
from export.pull.patience import Patience
from export.pull.transport import Answer, Transport

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PARTIAL, _MARK = ".partial", ".partial.json"

OnBytes = Callable[[int, int | None], None]
"""Told how many bytes of the file are here, of how many (None: not known)."""


class Downloader:
    """Downloads files one after another."""

    def __init__(self, transport: Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience

    def fetch(self, file: RemoteFile, target: Path, on_bytes: OnBytes = lambda here, whole: None) -> Seen:
        """Put the file at `target`, unless the very file is there already; return what it is.

        Raises:
            HashMismatch: what came is another file; it is deleted.
            DownloadCutOff, SourceUnreachable, RateLimited: also after several tries; what came is kept for the next.
            NotStored: the disk is full (what came is deleted), or the folder cannot be written.
            PullError: its other sub-classes say what.
        """
        try:
            if target.is_file():
                seen = look_at(target)
                if file.digests and _fits(file, seen):
                    on_bytes(seen.size_bytes, seen.size_bytes)
                    return seen
            target.parent.mkdir(parents=True, exist_ok=True)
            return _Download(self._transport, self._patience, file, target, on_bytes).run()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                discard(target)
                raise NotStored(f"the disk is full: {file.path} does not fit into {target.parent}") from error
            raise NotStored(f"{target} cannot be written: {error.strerror or error}") from error


def here_bytes(file: RemoteFile, target: Path) -> int:
    """Return how much of the file an earlier pull has left."""
    for path in (target, _partial(target)):
        if path.is_file():
            return path.stat().st_size
    return 0


def discard(target: Path) -> None:
    """Remove what an unfinished download left."""
    _partial(target).unlink(missing_ok=True)
    _mark(target).unlink(missing_ok=True)


class _Download:
    """One file on its way."""

    def __init__(
        self, transport: Transport, patience: Patience, file: RemoteFile, target: Path, on_bytes: OnBytes
    ) -> None:
        self._transport = transport
        self._patience = patience
        self._file = file
        self._target = target
        self._partial = _partial(target)
        self._on_bytes = on_bytes
        self._digests = file.digests
        """Those that were known before, and what the hub's headers say of the file."""

    def run(self) -> Seen:
        """Download, check, and give the file its name."""
        resumed = self._size() > 0
        while True:
            self._patience.ask(self._attempt, self._size)
            seen = look_at(self._partial)
            wrong = next((digest for digest in self._digests if not seen.is_as(digest)), None)
            if wrong is None and self._file.size_bytes in (None, seen.size_bytes):
                break
            discard(self._target)
            if not resumed:
                raise _mismatch(self._file, seen, wrong)
            resumed = False  # two versions of the file may have been put together: once more, from its first byte
        with self._partial.open("rb") as file:
            os.fsync(file.fileno())
        self._partial.replace(self._target)
        _mark(self._target).unlink(missing_ok=True)
        return seen

    def _attempt(self) -> None:
        have = self._size()
        if self._file.size_bytes is not None and have > self._file.size_bytes:
            discard(self._target)
            have = 0
        if have and have == self._file.size_bytes:
            return
        with self._transport.get(self._file.url, self._headers(have)) as answer:
            self._learn(answer)
            if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                self._past_the_end(answer, have)
                return
            start = self._start(answer, have)
            self._receive(answer, start)

    def _headers(self, have: int) -> dict[str, str]:
        plain = {"Accept-Encoding": "identity"}  # lengths and ranges must count the file's own bytes
        if not have:
            return plain
        validator = self._validator()
        if validator:
            return {**plain, "Range": f"bytes={have}-", "If-Range": validator}
        if self._digests:  # the hash tells if the rest is another file's
            return {**plain, "Range": f"bytes={have}-"}
        discard(self._target)
        return plain

    def _validator(self) -> str:
        """Return what the source called the version that the first bytes are of; "" when it gave no name."""
        try:
            mark = json.loads(_mark(self._target).read_text("utf-8"))
        except (OSError, ValueError):
            return ""
        same = isinstance(mark, dict) and mark.get("url") == self._file.url
        return str(mark.get("validator", "")) if same else ""

    def _learn(self, answer: Answer) -> None:
        """Hold what the hub's headers say of the file against what is known; the CDN's own ETag says nothing of it."""
        commit = answer.hub.get("x-repo-commit") or self._file.commit
        if commit != self._file.commit:
            raise SourceBroken(f"{self._file.path}: asked for commit {self._file.commit}, the hub sends {commit}")
        stated = Digest.of_text(answer.hub.get("x-linked-etag") or "")
        if stated is None or stated.kind != "sha256":
            return  # of small files some mirrors put other things there; the list of files has their hash
        known = [digest for digest in self._file.digests if digest.kind == stated.kind]
        if known and stated not in known:
            raise HashMismatch(
                f"{self._file.path}: the source now offers {stated}, where {known[0]} was expected; nothing was kept"
            )
        if stated not in self._digests:
            self._digests = (*self._digests, stated)

    def _past_the_end(self, answer: Answer, have: int) -> None:
        match = re.fullmatch(r"bytes \*/(\d+)", answer.header("Content-Range"))
        if match and int(match[1]) == have:
            return  # all of it was here already
        discard(self._target)
        raise DownloadCutOff(f"{self._file.path}: what was kept of it does not fit any more, it starts anew")

    def _start(self, answer: Answer, have: int) -> int:
        """Return where the body's first byte belongs."""
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            return 0
        match = _CONTENT_RANGE.fullmatch(answer.header("Content-Range"))
        if match is None or int(match[1]) != have or not have:
            raise SourceBroken(f"{self._file.path}: asked for the bytes from {have} on, the source sends others")
        whole = None if match[3] == "*" else int(match[3])
        if self._file.size_bytes is not None and whole not in (None, self._file.size_bytes):
            discard(self._target)
            raise DownloadCutOff(f"{self._file.path} has another length now, it starts anew")
        return have

    def _receive(self, answer: Answer, start: int) -> None:
        length = answer.header("Content-Length")
        whole = start + int(length) if length.isdecimal() else self._file.size_bytes
        if not start:
            validator = answer.header("ETag") or answer.header("Last-Modified")
            usable = "" if validator.startswith("W/") else validator  # a weak ETag does not promise equal bytes
            _mark(self._target).write_text(json.dumps({"url": self._file.url, "validator": usable}), encoding="utf-8")
        here = start
        limit = self._file.size_bytes if self._file.size_bytes is not None else whole
        with self._partial.open("r+b" if start else "wb") as file:
            file.seek(start)
            for chunk in answer.response.iter_raw():  # a chunk size would hold back, and lose, what came before an end
                here += file.write(chunk)
                self._on_bytes(here, whole)
                if limit is not None and here > limit:
                    raise self._too_long(limit)
            file.truncate()
        if limit is not None and here < limit:
            raise DownloadCutOff(f"{self._file.path} ended after {here} of {limit} bytes")

    def _too_long(self, limit: int) -> PullError:
        discard(self._target)
        return HashMismatch(f"{self._file.path} is longer than the {limit} bytes that were published; it was deleted")

    def _size(self) -> int:
        return self._partial.stat().st_size if self._partial.is_file() else 0


def _fits(file: RemoteFile, seen: Seen) -> bool:
    return file.size_bytes in (None, seen.size_bytes) and all(seen.is_as(digest) for digest in file.digests)


def _mismatch(file: RemoteFile, seen: Seen, wrong: Digest | None) -> HashMismatch:
    if wrong is None:
        return HashMismatch(f"{file.path} has {seen.size_bytes} bytes instead of {file.size_bytes}; it was deleted")
    got = seen.sha256 if wrong.kind == "sha256" else seen.git
    return HashMismatch(f"{file.path} is not the file that was published: {wrong} expected, {got} came; it was deleted")


def _partial(target: Path) -> Path:
    return target.with_name(target.name + _PARTIAL)


def _mark(target: Path) -> Path:
    return target.with_name(target.name + _MARK)
