"""From a family's name to a checkpoint on this machine that the exporter can read."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from client.licences.known import Licence, licence_by_identifier
from export.pull import catalogue
from export.pull.addresses import HubSource, Source, UrlSource
from export.pull.catalogue import Checkpoint
from export.pull.choosing import choose
from export.pull.download import Downloader
from export.pull.errors import (
    AccessDenied,
    DownloadCutOff,
    HashMismatch,
    PullError,
    RateLimited,
    SourceMissing,
    SourceUnreachable,
)
from export.pull.files import Digest, RemoteFile, Seen, checked_path
from export.pull.hub import Hub
from export.pull.licences import check_accepted, licence_in_force
from export.pull.patience import Patience
from export.pull.pins import Pinned, Pins
from export.pull.place import check_room, locked
from export.pull.transport import Transport

_ELSEWHERE = (SourceMissing, AccessDenied, SourceUnreachable, DownloadCutOff, RateLimited, HashMismatch)
"""After these the next mirror is asked; what it offers is held against the same hash."""


class Screen(Protocol):
    """Is told how it goes on."""

    def say(self, text: str) -> None:
        """A line to stay."""

    def licence(self, what: str, licence: Licence) -> None:
        """Before anything is downloaded."""

    def file(self, path: str, here_bytes: int, whole_bytes: int | None) -> None:
        """A file grows."""


@dataclass(frozen=True)
class Request:
    """What is wanted."""

    family: str
    folder: Path
    """Of all checkpoints; made if it is not there."""
    variant: str | None = None
    source: Source | None = None
    """None: where the family's authors, or the catalogue's mirrors, publish it."""
    sha256: str | None = None
    """Of the one file, if the user knows it."""
    accept_licence: bool = False
    update: bool = False
    """Take what the source offers now, also if it is not what it offered before."""


@dataclass(frozen=True)
class Pulled:
    """A checkpoint that is here, whole and checked."""

    checkpoint: Path
    """The folder or file for the exporter."""
    source: str
    commit: str
    """Of the hub's repository; "" for plain addresses."""
    licence: Licence
    files: dict[str, Seen]


def pull(request: Request, transport: Transport, screen: Screen, wait: Callable[[float], None] = time.sleep) -> Pulled:
    """Bring a checkpoint here; `wait` sleeps between tries, in seconds.

    Raises:
        UnknownName: no such family or variant.
        PullError: its sub-classes say what; nothing is left that could be taken for a checkpoint.
    """
    checkpoint = _checkpoint(request)
    authors = licence_by_identifier(checkpoint.licence)
    check_accepted(authors, f"{request.family} ({checkpoint.sources[0]})", accepted=request.accept_licence)
    patience = Patience(wait, screen.say)
    reasons: list[str] = []
    for source in checkpoint.sources:
        try:
            return _Pull(request, checkpoint, source, transport, screen, patience).run()
        except _ELSEWHERE as error:
            if source == checkpoint.sources[-1]:
                if not reasons:
                    raise
                told = "; ".join([*reasons, str(error)])
                if isinstance(error, SourceMissing | AccessDenied | HashMismatch):
                    raise type(error)(told) from error
                raise SourceUnreachable(told) from error
            reasons.append(str(error))
            screen.say(f"{error}; asking the next mirror")
    raise AssertionError("a checkpoint has a source")


def _checkpoint(request: Request) -> Checkpoint:
    if request.source is None:
        found = catalogue.published(request.family, request.variant)
    else:
        found = catalogue.elsewhere(request.family, request.source)
        if request.variant is not None:  # the published file from another place: the same bytes
            found = replace(found, pin=catalogue.published(request.family, request.variant).pin)
    if request.sha256 is None:
        return found
    digest = Digest.of_text(request.sha256)
    if digest is None or digest.kind != "sha256":
        raise PullError("--sha256 is 64 hexadecimal digits")
    if found.wanted.is_folder:
        raise PullError(
            f"--sha256 is of one file; {found.sources[0]} is a folder of several, which the hub's hashes pin"
        )
    return replace(found, pin=catalogue.Pin(None, digest.value))


class _Pull:
    """One source."""

    def __init__(
        self,
        request: Request,
        checkpoint: Checkpoint,
        source: Source,
        transport: Transport,
        screen: Screen,
        patience: Patience,
    ) -> None:
        self._request = request
        self._checkpoint = checkpoint
        self._source = source
        self._hub = Hub(transport, patience)
        self._screen = screen
        self._downloader = Downloader(transport, patience)
        self._pins = Pins(request.folder)

    def run(self) -> Pulled:
        with locked(self._request.folder):
            pinned = None if self._request.update else self._pins.of(str(self._source))
            if isinstance(self._source, HubSource):
                return self._from_hub(self._source, pinned)
            return self._from_url(self._source, pinned)

    def _from_hub(self, source: HubSource, pinned: Pinned | None) -> Pulled:
        found = self._hub.repository(source)
        licence = self._licence(found.licence)
        commit = pinned.commit if pinned else found.commit
        if commit != found.commit:
            self._screen.say(f"{source} was pinned to commit {commit[:12]}; {found.commit[:12]} is newer (--update)")
        listing = self._hub.files(source.repository, commit)
        where = f"{source.repository} at {commit[:12]}"
        files = choose(listing, self._checkpoint.wanted, where, self._hub.content)
        root = (
            self._request.folder / source.repository.replace("/", "--") / commit / source.repository.partition("/")[2]
        )
        return self._fetch(files, root, commit, licence, pinned)

    def _from_url(self, source: UrlSource, pinned: Pinned | None) -> Pulled:
        licence = self._licence("")
        root = self._request.folder / f"url-{hashlib.sha256(source.url.encode()).hexdigest()[:16]}"
        return self._fetch([RemoteFile(source.file, source.url, None)], root, "", licence, pinned)

    def _licence(self, card: str) -> Licence:
        what = f"{self._request.family} from {self._source}"
        licence = licence_in_force(self._checkpoint.licence, card, published=self._request.source is None)
        self._screen.licence(what, licence)
        check_accepted(licence, what, accepted=self._request.accept_licence)
        return licence

    def _fetch(
        self, files: Sequence[RemoteFile], root: Path, commit: str, licence: Licence, pinned: Pinned | None
    ) -> Pulled:
        expected = [self._expecting(file, pinned) for file in files]
        check_room(expected, root)
        seen = {file.path: self._fetch_one(file, root / checked_path(file.path)) for file in expected}
        self._pins.keep(str(self._source), commit, seen, anew=self._request.update)
        path = root if self._checkpoint.wanted.is_folder else root / self._checkpoint.wanted.needed[0]
        return Pulled(path, str(self._source), commit, licence, seen)

    def _expecting(self, file: RemoteFile, pinned: Pinned | None) -> RemoteFile:
        pin = self._checkpoint.pin
        if pin is not None:
            other = next((each for each in file.digests if each.kind == "sha256" and each != pin.digest), None)
            if other is not None:
                raise HashMismatch(f"{self._source} is not the published file: it is {other}, not {pin.digest}")
            size = pin.size_bytes if file.size_bytes is None else file.size_bytes
            file = replace(file, size_bytes=size, digests=(*file.digests, pin.digest))
        return pinned.expecting(file) if pinned else file

    def _fetch_one(self, file: RemoteFile, target: Path) -> Seen:
        tell: Callable[[int, int | None], None] = lambda here, whole: self._screen.file(file.path, here, whole)  # noqa: E731
        return self._downloader.fetch(file, target, tell)
