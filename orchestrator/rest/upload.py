"""Takes one multipart upload straight to disk, counting as it comes: a body over the limit is cut off."""

import hashlib
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import anyio
from anyio import to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from orchestrator.errors import BadRequest, ClipTooLarge, TranscriptTooLarge
from orchestrator.subtitles.srt import MAX_BYTES as MAX_TRANSCRIPT_BYTES

if TYPE_CHECKING:  # the library defines it for checkers only
    from python_multipart.multipart import MultipartCallbacks

CLIP_FIELD = "clip"
TRANSCRIPT_FIELD = "transcript"
FIELD_BYTES = 16 * 1024
"""A text field may be so long; a webhook's address is the longest."""
MAX_PARTS = 16
OVERHEAD_BYTES = MAX_PARTS * 2 * FIELD_BYTES + MAX_TRANSCRIPT_BYTES
"""Everything around the clip: boundaries, headers, text fields, a transcript."""
WRITE_BYTES = 1024 * 1024
"""Written, and hashed, at once in a thread."""
IDLE_TIMEOUT_S = 60.0
"""A client that sends nothing for so long has gone."""
UPLOAD_PREFIX = "upload-"
NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """What came in."""

    path: Path
    size_bytes: int
    sha256: str
    """Of the clip, hexadecimal."""
    file_name: str
    """As the client calls it, cleaned: text to show, never a path."""
    fields: dict[str, str]
    transcript: bytes | None = None
    """SubRip, not looked into yet; None when there is none."""


@asynccontextmanager
async def received(request: Request, upload_dir: Path, max_bytes: int) -> AsyncIterator[Upload]:
    """Receive the body of `request` into a folder of its own, which is gone when the block ends, however it ends.

    Raises:
        BadRequest: no multipart form, a damaged one, no clip, a field twice or too long.
        TranscriptTooLarge: more of it than any subtitles have.
        ClipTooLarge: more than `max_bytes`, by the Content-Length or as soon as so many bytes have come.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes + OVERHEAD_BYTES:
        raise ClipTooLarge(f"the upload has {declared} bytes, {max_bytes} are allowed")
    boundary = _boundary(request.headers.get("content-type", ""))
    upload_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=upload_dir, prefix=UPLOAD_PREFIX) as folder:
        path = Path(folder) / CLIP_FIELD
        with path.open("xb") as sink:
            form = _Form(max_bytes)
            await _feed(request, boundary, form, sink, max_bytes)
        yield form.finish(path)


async def _feed(request: Request, boundary: bytes, form: "_Form", sink: BinaryIO, max_bytes: int) -> None:
    parser = MultipartParser(boundary, form.callbacks())
    body, size = request.stream().__aiter__(), 0
    try:
        while True:
            with anyio.fail_after(IDLE_TIMEOUT_S):
                chunk = await anext(body, None)
            if chunk is None:
                break
            size += len(chunk)
            if size > max_bytes + OVERHEAD_BYTES:
                raise ClipTooLarge(f"the upload has more than the {max_bytes} bytes that are allowed")
            parser.write(chunk)
            if len(form.pending) >= WRITE_BYTES:
                await to_thread.run_sync(form.flush, sink)
        parser.finalize()
    except FormParserError as error:
        raise BadRequest(f"the multipart form is damaged: {error}") from error
    except TimeoutError as error:
        raise BadRequest(f"nothing came for {IDLE_TIMEOUT_S:.0f} s") from error
    await to_thread.run_sync(form.flush, sink)


class _Form:
    """Collects the parts; the clip's bytes pass through `pending` to the file."""

    def __init__(self, max_bytes: int) -> None:
        self.pending = bytearray()
        self._max_bytes = max_bytes
        self._clip_bytes = 0
        self._digest = hashlib.sha256()
        self._file_name: str | None = None
        self._fields: dict[str, bytearray] = {}
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._field: bytearray | None = None
        self._parts = 0
        self._ended = False

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": _appender(self._header_name),
            "on_header_value": _appender(self._header_value),
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }

    def flush(self, sink: BinaryIO) -> None:
        self._digest.update(self.pending)
        sink.write(self.pending)
        self.pending.clear()

    def finish(self, path: Path) -> Upload:
        if not self._ended:
            raise BadRequest("the multipart form ends too early")
        if self._file_name is None:
            raise BadRequest(f"the field {CLIP_FIELD} is missing")
        transcript = self._fields.pop(TRANSCRIPT_FIELD, None)
        try:
            fields = {name: bytes(value).decode() for name, value in self._fields.items()}
        except UnicodeDecodeError as error:
            raise BadRequest("a field is not UTF-8") from error
        return Upload(path, self._clip_bytes, self._digest.hexdigest(), self._file_name, fields, _given(transcript))

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadRequest(f"more than {MAX_PARTS} fields")
        self._disposition = b""

    def _on_header_end(self) -> None:
        if bytes(self._header_name).lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        if name in self._fields or (name == CLIP_FIELD and self._file_name is not None):
            raise BadRequest(f"the field {name} comes twice")
        if name == CLIP_FIELD:
            if b"filename" not in options:
                raise BadRequest(f"the field {CLIP_FIELD} must be a file")
            self._field = None
            self._file_name = shown_name(options[b"filename"].decode(errors="replace"))
        else:
            self._field = self._fields[name] = bytearray()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        piece = memoryview(data)[start:end]
        if self._field is None:
            self._clip_bytes += len(piece)
            if self._clip_bytes > self._max_bytes:
                raise ClipTooLarge(f"the clip has more than the {self._max_bytes} bytes that are allowed")
            self.pending += piece
            return
        self._field += piece
        if self._field is self._fields.get(TRANSCRIPT_FIELD):
            if len(self._field) > MAX_TRANSCRIPT_BYTES:
                raise TranscriptTooLarge(1, f"the transcript has more than {MAX_TRANSCRIPT_BYTES} bytes")
        elif len(self._field) > FIELD_BYTES:
            raise BadRequest(f"a field has more than {FIELD_BYTES} bytes")

    def _on_end(self) -> None:
        self._ended = True


def shown_name(name: str) -> str:
    """Return the last part of a path on any system, without control characters; "clip" when nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(character for character in last if character.isprintable()).strip()
    return visible[:NAME_CHARACTERS] if visible.strip(".") else CLIP_FIELD


def _given(transcript: bytearray | None) -> bytes | None:
    """Return the transcript; None when the part is missing or empty, as a form sends it in which no file was chosen."""
    return bytes(transcript) if transcript else None


def _appender(buffer: bytearray) -> Callable[[bytes, int, int], None]:
    def append(data: bytes, start: int, end: int) -> None:
        buffer.extend(data[start:end])

    return append


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise BadRequest("send a multipart/form-data form")
    return options[b"boundary"]
