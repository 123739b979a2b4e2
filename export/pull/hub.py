"""The hub's API as far as a download needs it: which commit a revision is, its licence, its files and their hashes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx

from export.pull.addresses import HubSource
from export.pull.errors import SourceBroken
from export.pull.files import Digest, RemoteFile, checked_path, plain
from export.pull.patience import Patience
from export.pull.transport import Transport

_MOST_PAGES = 100
_GREATEST_ANSWER_BYTES = 32 << 20
_GREATEST_SMALL_FILE_BYTES = 16 << 20


@dataclass(frozen=True)
class Repository:
    """What the hub says of one revision."""

    commit: str
    licence: str
    """As the model card says, in the hub's spelling: "mit", "cc-by-4.0"; "" where it says nothing."""


class Hub:
    """Asks one hub."""

    def __init__(self, transport: Transport, patience: Patience) -> None:
        """The hub is the transport's endpoint."""
        self._transport = transport
        self._patience = patience

    def repository(self, source: HubSource) -> Repository:
        """Return the commit that the revision is now, and the model card's licence."""
        found, _ = self._json(f"/api/models/{source.repository}/revision/{quote(source.revision, safe='')}")
        commit = found.get("sha") if isinstance(found, Mapping) else None
        if not isinstance(commit, str) or (digest := Digest.of_text(commit)) is None or digest.kind != "git":
            raise SourceBroken(f"the hub does not say which commit {source} is")
        return Repository(commit, plain(_licence(found)))

    def files(self, repository: str, commit: str) -> dict[str, RemoteFile]:
        """List the files of a commit by their paths.

        Raises SourceRefused for a path that would lead out of the folder.
        """
        path = f"/api/models/{repository}/tree/{commit}?recursive=true"
        listed: dict[str, RemoteFile] = {}
        for _page in range(_MOST_PAGES):
            entries, following = self._json(path)
            if not isinstance(entries, list):
                raise SourceBroken(f"the hub's list of the files of {repository} is none")
            for entry in entries:
                if isinstance(entry, Mapping) and entry.get("type") == "file":
                    file = self._file(repository, commit, entry)
                    if file is not None:
                        listed[file.path] = file
            if following is None:
                return listed
            path = following
        raise SourceBroken(f"the hub's list of the files of {repository} does not end")

    def _file(self, repository: str, commit: str, entry: Mapping[str, Any]) -> RemoteFile | None:
        name, size = str(entry.get("path", "")), entry.get("size")
        if name.rpartition("/")[2].startswith(".") and ".." not in name:
            return None  # .gitattributes and its like are never part of a checkpoint
        path = checked_path(name)
        lfs = entry.get("lfs")
        stated = lfs.get("oid") if isinstance(lfs, Mapping) else entry.get("oid")
        digest = Digest.of_text(str(stated).removeprefix("sha256:"))
        if digest is None or not isinstance(size, int) or size < 0:
            raise SourceBroken(f"the hub states no size and hash of {path} in {repository}")
        url = f"{self._transport.endpoint}/{repository}/resolve/{commit}/{quote(path)}"
        return RemoteFile(path, url, size, (digest,), commit)

    def _json(self, path: str) -> tuple[Any, str | None]:
        """Return what the API answers, and the path of the next page."""
        url = urljoin(self._transport.endpoint + "/", path.lstrip("/"))
        body, following = self._patience.ask(lambda: self._body(url, "application/json", _GREATEST_ANSWER_BYTES))
        try:
            found = json.loads(body)
        except ValueError as error:
            raise SourceBroken(f"the hub's answer at {path} is no JSON: {error}") from error
        return found, self._own_path(url, following) if following else None

    def content(self, file: RemoteFile) -> bytes:
        """Return what is in a small file; it is not checked, for whoever needs it fetches it as well."""
        return self._patience.ask(lambda: self._body(file.url, "*/*", _GREATEST_SMALL_FILE_BYTES))[0]

    def _body(self, url: str, accept: str, most_bytes: int) -> tuple[bytes, str | None]:
        with self._transport.get(url, {"Accept": accept}) as answer:
            body = b""
            for chunk in answer.response.iter_bytes():
                body += chunk
                if len(body) > most_bytes:
                    raise SourceBroken(f"what the hub answers at {urlsplit(url).path} does not end")
            return body, answer.response.links.get("next", {}).get("url")

    def _own_path(self, url: str, following: str) -> str:
        parts = urlsplit(urljoin(url, following))
        if parts[:2] != urlsplit(self._transport.endpoint)[:2]:
            raise SourceBroken(f"the hub's list goes on at another host, {parts.netloc}: that is not followed")
        prefix = urlsplit(self._transport.endpoint).path
        return str(httpx.URL(path=parts.path.removeprefix(prefix), query=parts.query.encode()))


def _licence(found: Mapping[str, Any]) -> str:
    card = found.get("cardData")
    stated = card.get("license") if isinstance(card, Mapping) else None
    if isinstance(card, Mapping) and stated == "other" and isinstance(card.get("license_name"), str):
        return str(card["license_name"])
    if isinstance(stated, list):
        stated = " or ".join(str(each) for each in stated)
    if isinstance(stated, str):
        return stated
    tags = [tag for tag in found.get("tags") or () if isinstance(tag, str) and tag.startswith("license:")]
    return tags[0].removeprefix("license:") if tags else ""
