"""What `--from` means: a repository of the hub, one file in it, or a plain address."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from export.pull.errors import SourceRefused
from export.pull.files import checked_path

DEFAULT_REVISION = "main"
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_REPOSITORY = re.compile(rf"({_PART}/{_PART})(?:@([A-Za-z0-9][A-Za-z0-9._/-]{{0,127}}))?")
_IN_REPOSITORY = ("resolve", "blob", "tree", "raw")
_NOT_MODELS = ("datasets", "spaces", "api", "docs", "collections", "papers", "models")
"""First parts of hub addresses that are no owner."""


@dataclass(frozen=True)
class HubSource:
    """A repository of models on the hub, whole or one file of it."""

    repository: str
    """owner/name."""
    revision: str = DEFAULT_REVISION
    """A branch, a tag or a commit."""
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.repository}@{self.revision}" + (f"/{self.file}" if self.file else "")


@dataclass(frozen=True)
class UrlSource:
    """One file at an address of any other kind."""

    url: str

    @property
    def file(self) -> str:
        """Its name on this machine: the last part of the address."""
        return checked_path(unquote(urlsplit(self.url).path).rpartition("/")[2])

    def __str__(self) -> str:
        return urlsplit(self.url)._replace(query="").geturl()  # queries of signed addresses are secrets


Source = HubSource | UrlSource


def parse_source(text: str, endpoint: str) -> Source:
    """Read owner/name, owner/name@revision, an address on the hub at `endpoint`, or any other http(s) address.

    Raises SourceRefused: none of these.
    """
    match = _REPOSITORY.fullmatch(text)
    if match:
        return _hub(match[1], match[2] or DEFAULT_REVISION, None)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceRefused(f"{text!r} is neither owner/name of the hub nor an http(s) address")
    if parts.username or parts.password:
        raise SourceRefused("an address with a password in it is not taken: it would end up in files and on screens")
    if (parts.scheme, parts.netloc) == urlsplit(endpoint)[:2]:
        return _on_hub(parts)
    source = UrlSource(parts._replace(fragment="").geturl())
    _ = source.file  # refused here rather than after the download
    return source


def _on_hub(parts: SplitResult) -> HubSource:
    path = [unquote(part) for part in parts.path.strip("/").split("/")]
    if len(path) < 2 or path[0] in _NOT_MODELS or (len(path) > 2 and (path[2] not in _IN_REPOSITORY or len(path) < 4)):
        raise SourceRefused(f"{parts.geturl()} is no repository of models, and no file in one")
    if len(path) == 2:
        return _hub("/".join(path), DEFAULT_REVISION, None)
    file = "/".join(path[4:]) or None
    if file is None and path[2] != "tree":
        raise SourceRefused(f"{parts.geturl()} names no file")
    if file is not None and path[2] == "tree":
        raise SourceRefused(f"{parts.geturl()} is a folder in a repository: name the repository, or a file")
    return _hub("/".join(path[:2]), path[3], file)


def _hub(repository: str, revision: str, file: str | None) -> HubSource:
    match = _REPOSITORY.fullmatch(f"{repository}@{revision}")
    if match is None or any(".." in part or "--" in part for part in (repository, revision)):
        raise SourceRefused(f"{repository}@{revision} is no name of a repository and its revision")
    return HubSource(repository, revision, checked_path(file) if file else None)
