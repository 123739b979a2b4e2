"""The lock file: which commit and which hashes a source had at the first pull, so that every later one is compared."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from export.pull.errors import NotStored, SourceChanged
from export.pull.files import Digest, RemoteFile, Seen

FILE_NAME = "pins.json"
_SCHEMA = 1


@dataclass(frozen=True)
class Pinned:
    """One source as it was."""

    commit: str
    """Of the hub's repository; "" for plain addresses."""
    since: str
    """Date and time of the first pull, UTC."""
    files: Mapping[str, str]
    """Path -> SHA-256 of all that was fetched so far."""

    def expecting(self, file: RemoteFile) -> RemoteFile:
        """Add the pinned hash to what is known of the file; SourceChanged when the source says otherwise."""
        if file.path not in self.files:
            return file
        pinned = Digest("sha256", self.files[file.path])
        other = next((digest for digest in file.digests if digest.kind == "sha256" and digest != pinned), None)
        if other is not None:
            raise SourceChanged(
                f"{file.path} is another file than at the pull of {self.since}: {pinned} then, {other} now. "
                "If you know why, --update takes the new one"
            )
        return replace(file, digests=tuple(dict.fromkeys((*file.digests, pinned))))


class Pins:
    """The lock file of a folder. Whoever writes holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        """The file need not be there."""
        self._path = folder / FILE_NAME

    def of(self, source: str) -> Pinned | None:
        """Return what the source was; None: it was never pulled. NotStored: the file is damaged."""
        found = self._read()["pins"].get(source)
        if found is None:
            return None
        try:
            files = {str(path): str(sha256) for path, sha256 in found["files"].items()}
            return Pinned(str(found["commit"]), str(found["since"]), files)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._damaged() from error

    def keep(self, source: str, commit: str, seen: Mapping[str, Seen], *, anew: bool) -> None:
        """Write down what was fetched; `anew`: what was pinned before counts no more."""
        content = self._read()
        before = None if anew else self.of(source)
        files = {**(before.files if before else {}), **{path: each.sha256 for path, each in seen.items()}}
        since = before.since if before else datetime.now(UTC).isoformat(timespec="seconds")
        content["pins"][source] = {"commit": commit, "since": since, "files": files}
        partial = self._path.with_name(f".{FILE_NAME}.partial")
        try:
            partial.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            partial.replace(self._path)
        except OSError as error:
            raise NotStored(f"{self._path} cannot be written: {error.strerror or error}") from error

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {"schema": _SCHEMA, "pins": {}}
        except (OSError, ValueError) as error:
            raise self._damaged() from error
        if not isinstance(content, dict) or not isinstance(content.get("pins"), dict):
            raise self._damaged()
        return content

    def _damaged(self) -> NotStored:
        return NotStored(f"{self._path} cannot be read: what was pulled before cannot be compared with it")
