"""HTTP as the hub wants it: redirects followed one by one, a token that only its own host sees, errors in words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import httpx

from export.pull.errors import (
    AccessDenied,
    DownloadCutOff,
    PullError,
    RateLimited,
    SourceBroken,
    SourceMissing,
    SourceRefused,
    SourceUnreachable,
)
from export.pull.files import plain

_MOST_REDIRECTS = 10
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds; between two pieces of a body, not for the whole of it."""
_SERVED = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
_WHY = {
    "GatedRepo": "this account has not been let in: accept the terms on the repository's page, then put a token of the "
    "same account into HF_TOKEN",
    "RevisionNotFound": "there is no such revision",
    "EntryNotFound": "there is no such file in the repository",
    "RepoNotFound": "there is no such repository, or it is private (then HF_TOKEN must hold a token that may read it)",
}
"""What the hub's header X-Error-Code says."""


@dataclass(frozen=True)
class Answer:
    """What came, its body still to be read."""

    response: httpx.Response
    hub: Mapping[str, str]
    """Headers of the first host: X-Repo-Commit, X-Linked-ETag and X-Linked-Size come before the redirect to a CDN."""

    @property
    def status(self) -> int:
        """200, 206 or 416."""
        return self.response.status_code

    def header(self, name: str) -> str:
        """Return a header of the host that the body comes from; "" where it is not there."""
        return str(self.response.headers.get(name, ""))


class Transport:
    """Gets what lies at addresses; `close` it after use."""

    def __init__(self, endpoint: str, token: str | None = None, http: httpx.BaseTransport | None = None) -> None:
        """Ask the hub at `endpoint`, and whomever it sends to.

        `token`: sent to the endpoint's scheme, host and port alone; `http`: None: the network.
        """
        self.endpoint = endpoint.rstrip("/")
        self._token = token
        self._client = httpx.Client(timeout=_TIMEOUT, headers={"User-Agent": "polylip"}, transport=http)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """Ask for what lies there, following redirects; statuses other than 200, 206 and 416 are errors.

        Raises:
            SourceMissing, AccessDenied, RateLimited, SourceRefused, SourceBroken: as their names say.
            SourceUnreachable: no connection, no answer in time, a fault of the server.
            DownloadCutOff: while the body is read, it ended early.
        """
        hub: dict[str, str] = {}
        try:
            for _hop in range(_MOST_REDIRECTS + 1):
                with self._client.stream("GET", url, headers={**(headers or {}), **self._authorisation(url)}) as answer:
                    if self._is_hub(url):
                        hub |= {name.lower(): value for name, value in answer.headers.items()}
                    if not answer.has_redirect_location:
                        _check_status(answer)
                        yield Answer(answer, hub)
                        return
                    url = _next(url, answer.headers["Location"])
        except httpx.TransportError as error:
            raise _unreachable(url, error) from error
        except httpx.HTTPError as error:
            raise SourceBroken(f"{_host(url)}: {error}") from error
        raise SourceBroken(f"{_host(url)} sends from one address to the next without end")

    def _authorisation(self, url: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token and self._is_hub(url) else {}

    def _is_hub(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.endpoint)[:2]


def _next(url: str, location: str) -> str:
    following = urljoin(url, location)
    scheme = urlsplit(following).scheme
    if scheme not in ("http", "https"):
        raise SourceRefused(f"{_host(url)} redirects to {scheme}://, which is not followed")
    if (urlsplit(url).scheme, scheme) == ("https", "http"):
        raise SourceRefused(f"{_host(url)} redirects from https to http ({_host(following)}), which is not followed")
    return following


def _check_status(response: httpx.Response) -> None:
    status, url = response.status_code, str(response.url)
    if status in _SERVED:
        return
    place = str(response.url.copy_with(query=None))
    why = _WHY.get(response.headers.get("X-Error-Code", ""), "") or plain(response.headers.get("X-Error-Message", ""))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited(_host(url), _retry_after_s(response))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        # The hub says 401 of repositories that do not exist, too, so that nobody learns which private ones there are.
        raise AccessDenied(f"{place} is refused ({status}): {why or 'it wants a token in HF_TOKEN that may read it'}")
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise SourceMissing(f"{place} is not there ({status})" + (f": {why}" if why else ""))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        raise SourceUnreachable(f"{_host(url)} fails ({status})" + (f": {why}" if why else ""))
    raise SourceBroken(f"{place} answers {status}" + (f": {why}" if why else ""))


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _unreachable(url: str, error: httpx.TransportError) -> PullError:
    if isinstance(error, httpx.TimeoutException):
        return SourceUnreachable(f"{_host(url)} did not answer in time ({type(error).__name__})")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return DownloadCutOff(f"{_host(url)} ended the connection early: {error}")
    return SourceUnreachable(f"{_host(url)} cannot be reached: {error}")


def _host(url: str) -> str:
    return urlsplit(url).netloc
