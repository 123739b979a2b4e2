"""A hub of models and its CDN on two ports of this machine: speaks the file protocol, and fails as it is told.

Large files (`lfs`) are answered with a redirect to the CDN, whose ETag says nothing of their content; small ones are
answered at once with their git hash as ETag. Every request is kept with its headers.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

PAGE = 3
"""Files on a page of the tree."""


def git_hash(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@dataclass
class FakeRepository:
    """One revision of one repository; `commit` changes with what is put into it."""

    files: dict[str, bytes]
    lfs_from_bytes: int = 1000
    card: dict[str, Any] = field(default_factory=lambda: {"license": "mit"})
    gated: bool = False
    history: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.commit = self._name()
        self.history[self.commit] = dict(self.files)

    def _name(self) -> str:
        parts = "".join(f"{path}{git_hash(content)}" for path, content in sorted(self.files.items()))
        return hashlib.sha1(parts.encode()).hexdigest()

    def change(self, path: str, content: bytes) -> None:
        self.files = {**self.files, path: content}
        self.__post_init__()

    def tree(self, commit: str) -> list[dict[str, Any]]:
        return [self._entry(path, content) for path, content in sorted(self.history[commit].items())]

    def _entry(self, path: str, content: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": git_hash(content)}
        if len(content) >= self.lfs_from_bytes:
            entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
            entry["oid"] = git_hash(b"pointer")
        return entry


@dataclass
class Fault:
    """What happens to the next `times` requests of a path that ends in the fault's key."""

    kind: str
    times: int = 1
    number: int = 0
    text: str = ""


@dataclass(frozen=True)
class Seen:
    """A request."""

    host: str
    path: str
    headers: Mapping[str, str]


class FakeHub:
    """`url` of the hub, `cdn_url` of its CDN; fill `repositories` and `plain`, and put trouble into `faults`.

    Kinds of faults: `cut` (only `number` bytes come, then the connection ends), `status` (`number`, with the headers in
    `text` as JSON), `flip` (one byte is another), `location` (redirect to `text`), `no-range` (a range is ignored),
    `endless` (`number` bytes without a length), `silent` (the connection is closed).
    """

    token = "hf_secret"

    def __init__(self) -> None:
        self.repositories: dict[str, FakeRepository] = {}
        self.plain: dict[str, bytes] = {}
        self.faults: dict[str, Fault] = {}
        self.seen: list[Seen] = []
        self.etag_of_cdn = '"as-the-cdn-calls-it"'
        self._hub = _server(self, "hub")
        self._cdn = _server(self, "cdn")
        self.url = f"http://127.0.0.1:{self._hub.server_port}"
        self.cdn_url = f"http://127.0.0.1:{self._cdn.server_port}"

    def stop(self) -> None:
        for server in (self._hub, self._cdn):
            server.shutdown()
            server.server_close()

    def requests(self, host: str, ending: str = "") -> list[Seen]:
        return [each for each in self.seen if each.host == host and urlsplit(each.path).path.endswith(ending)]

    def fault_of(self, path: str) -> Fault | None:
        for ending, fault in self.faults.items():
            if urlsplit(path).path.endswith(ending) and fault.times > 0:
                fault.times -= 1
                return fault
        return None


@contextmanager
def running_hub() -> Iterator[FakeHub]:
    hub = FakeHub()
    try:
        yield hub
    finally:
        hub.stop()


def _server(hub: FakeHub, host: str) -> ThreadingHTTPServer:
    handler = type("Handler", (_Handler,), {"hub": hub, "host": host})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub
    host: str

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        self.hub.seen.append(Seen(self.host, self.path, dict(self.headers)))
        self._fault = self.hub.fault_of(self.path) if self._is_at_the_body() else None
        if self._fault is not None and self._troubled(self._fault):
            return
        if self.host == "cdn":
            self._cdn()
        elif self.path.startswith("/api/models/"):
            self._api()
        elif "/resolve/" in self.path:
            self._resolve()
        else:
            self._plain(urlsplit(self.path).path)

    def _is_at_the_body(self) -> bool:
        """Faults of a file that is kept on the CDN happen there."""
        return self.host == "cdn" or "/resolve/" not in self.path or self._file() is None or not self._is_lfs()

    def _troubled(self, fault: Fault) -> bool:
        if fault.kind == "status":
            self._send(fault.number, b"{}", json.loads(fault.text or "{}"))
        elif fault.kind == "location":
            self._send(302, b"", {"Location": fault.text})
        elif fault.kind == "silent":
            self.close_connection = True
            self.connection.close()
        elif fault.kind == "endless":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            with suppress(ConnectionError):
                self.wfile.write(b"x" * fault.number)
        else:
            return False
        return True

    # ---- the API -------------------------------------------------------------------------------------------------

    def _api(self) -> None:
        parts = urlsplit(self.path)
        owner, name, what, revision = unquote(parts.path).removeprefix("/api/models/").split("/", 3)
        repository = self.hub.repositories.get(f"{owner}/{name}")
        if repository is None:
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif what == "revision" and revision not in ("main", repository.commit):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif what == "revision":
            self._json({"sha": repository.commit, "cardData": repository.card, "gated": repository.gated})
        else:
            self._tree(repository, revision, int(parse_qs(parts.query).get("cursor", ["0"])[0]))

    def _tree(self, repository: FakeRepository, commit: str, start: int) -> None:
        entries = repository.tree(commit)
        path = urlsplit(self.path).path
        following = f'<{self.hub.url}{path}?recursive=true&cursor={start + PAGE}>; rel="next"'
        self._json(entries[start : start + PAGE], {"Link": following} if start + PAGE < len(entries) else {})

    def _json(self, content: object, headers: Mapping[str, str] | None = None) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})

    # ---- files ---------------------------------------------------------------------------------------------------

    def _file(self) -> bytes | None:
        repository, _, rest = urlsplit(self.path).path.lstrip("/").partition("/resolve/")
        commit, _, path = rest.partition("/")
        found = self.hub.repositories.get(repository)
        return found.history.get(commit, {}).get(unquote(path)) if found else None

    def _is_lfs(self) -> bool:
        repository = self.hub.repositories[urlsplit(self.path).path.lstrip("/").partition("/resolve/")[0]]
        return len(self._file() or b"") >= repository.lfs_from_bytes

    def _resolve(self) -> None:
        content = self._file()
        repository = self.hub.repositories.get(urlsplit(self.path).path.lstrip("/").partition("/resolve/")[0])
        if content is None or repository is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        if repository.gated and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._send(401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."})
            return
        commit = urlsplit(self.path).path.partition("/resolve/")[2].partition("/")[0]
        if not self._is_lfs():
            self._body(content, {"X-Repo-Commit": commit, "ETag": f'"{git_hash(content)}"'})
            return
        path = quote(urlsplit(self.path).path)
        headers = {
            "X-Repo-Commit": commit,
            "X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Linked-Size": str(len(content)),
            "Location": f"{self.hub.cdn_url}{path}?X-Signature=signed-for-once",
        }
        self._send(302, b"", headers)

    def _cdn(self) -> None:
        content = self._file()
        assert content is not None
        self._body(content, {"ETag": self.hub.etag_of_cdn})

    def _plain(self, path: str) -> None:
        content = self.hub.plain.get(path)
        if content is None:
            self._send(404, b"", {})
            return
        self._body(content, {"ETag": f'"{git_hash(content)}"'})

    def _body(self, content: bytes, headers: dict[str, str]) -> None:
        fault = self._fault
        if fault is not None and fault.kind == "flip":
            content = bytes([content[0] ^ 1]) + content[1:]
        start, ranged = 0, self.headers.get("Range")
        ignored = fault is not None and fault.kind == "no-range"
        if ranged and not ignored and self.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
            start = int(ranged.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            headers = {**headers, "Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        part = content[start:]
        cut = fault.number if fault is not None and fault.kind == "cut" else None
        self._send(206 if start else 200, part, headers, cut)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # whoever asked may have heard enough
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True
