"""A published file: where it lies, how long it is, and the hash that tells it from any other."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from export.pull.errors import SourceRefused

_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT = re.compile(r"[0-9a-f]{40}")
_CHUNK_BYTES = 1 << 20
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Digest:
    """A hash as somebody publishes it."""

    kind: Literal["sha256", "git"]
    """git: the SHA-1 of "blob <length>\\0" and the content, which is what git calls a file."""
    value: str
    """Lower-case hex."""

    @classmethod
    def of_text(cls, text: str) -> "Digest | None":
        """Tell the two kinds apart by their lengths; None: neither (multipart ETags, for one)."""
        value = text.strip().removeprefix("W/").strip('"').lower()
        if _SHA256.fullmatch(value):
            return cls("sha256", value)
        return cls("git", value) if _GIT.fullmatch(value) else None

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


@dataclass(frozen=True)
class Seen:
    """What a file on this machine is."""

    size_bytes: int
    sha256: str
    git: str

    def is_as(self, digest: Digest) -> bool:
        """Whether the file is the one that the hash was taken of."""
        return digest.value == (self.sha256 if digest.kind == "sha256" else self.git)


@dataclass(frozen=True)
class RemoteFile:
    """One file of a source."""

    path: str
    """Relative, with "/": where it lies below the checkpoint's folder."""
    url: str
    size_bytes: int | None
    """None: nobody says before the download."""
    digests: tuple[Digest, ...] = ()
    """All that are known; each must fit. None of them: nobody publishes one."""
    commit: str = ""
    """Of the hub's repository, which its answers repeat."""


def look_at(path: Path) -> Seen:
    """Read the whole file once."""
    size = path.stat().st_size
    sha256, git = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    git.update(f"blob {size}\0".encode())
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            sha256.update(chunk)
            git.update(chunk)
    return Seen(size, sha256.hexdigest(), git.hexdigest())


def checked_path(path: str) -> str:
    """Return a file's path if it stays below the folder it is written into; SourceRefused otherwise."""
    parts = PurePosixPath(path).parts
    bad = (
        not parts
        or path != "/".join(parts)  # "//", "./", a slash at the end
        or any(part in ("", ".", "..") or part.startswith(("/", ".")) or len(part) > _LONGEST_NAME for part in parts)
        or any(character in path for character in "\\:\0")
        or not path.isprintable()
    )
    if bad:
        raise SourceRefused(f"the source names a file {path!r}, which is no name that is written here")
    return path


def plain(text: str) -> str:
    """Return what somebody else wrote in a form that may be shown: one short line, nothing that steers a terminal."""
    return "".join(character for character in text if character.isprintable())[:_LONGEST_NAME]
