"""Bytes of an artefact over HTTP, whole or one range (RFC 9110, section 14), from any file system of the store."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response, StreamingResponse

from orchestrator.errors import RangeNotSatisfiable
from orchestrator.rest.problems import problem
from orchestrator.store.media import MediaStore

CHUNK_BYTES = 256 * 1024
_ONE_RANGE = re.compile(r"bytes=(?P<first>\d{0,18})-(?P<last>\d{0,18})")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The request's headers of these names."""

    range: str | None = None
    if_range: str | None = None
    if_none_match: str | None = None


def serve_bytes(media: MediaStore, dub_id: uuid.UUID, name: str, media_type: str, conditions: Conditions) -> Response:
    """Answer 200, 206, 304 or 416; raises ArtefactNotReady when there is no such artefact."""
    size = media.size(dub_id, name)
    etag = f'"{media.version(dub_id, name)}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if conditions.if_none_match is not None and etag in re.split(r"\s*,\s*", conditions.if_none_match):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    asked = conditions.range if conditions.if_range in (None, etag) else None
    try:
        first, last, status = parse_range(asked, size)
    except RangeNotSatisfiable as error:
        return problem(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, error.code, str(error), {"Content-Range": f"bytes */{size}"}
        )
    if status is HTTPStatus.PARTIAL_CONTENT:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    return StreamingResponse(_read(media, dub_id, name, first, last), status, headers, media_type)


def parse_range(text: str | None, size: int) -> tuple[int, int, HTTPStatus]:
    """Return the first and last byte to send, and the status; anything but one range of bytes means the whole.

    Raises:
        RangeNotSatisfiable: the range begins behind the end.
    """
    match = _ONE_RANGE.fullmatch(text.replace(" ", "")) if text else None
    if match is None or match["first"] == match["last"] == "":
        return 0, size - 1, HTTPStatus.OK
    if match["first"]:
        first = int(match["first"])
        last = min(int(match["last"]), size - 1) if match["last"] else size - 1
        if match["last"] and int(match["last"]) < first:
            return 0, size - 1, HTTPStatus.OK  # no valid range: to be ignored
    else:  # the last so many bytes
        first, last = max(0, size - int(match["last"])), size - 1
    if first >= size:
        raise RangeNotSatisfiable(f"the artefact has {size} bytes")
    return first, last, HTTPStatus.PARTIAL_CONTENT


def _read(media: MediaStore, dub_id: uuid.UUID, name: str, first: int, last: int) -> Iterator[bytes]:
    with media.open(dub_id, name) as stream:
        stream.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := stream.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk
