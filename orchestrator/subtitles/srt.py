"""Reading SubRip strictly: whatever is not clearly right is refused with the number of its line."""

import re
from collections.abc import Iterator

from orchestrator.errors import TranscriptRefused, TranscriptTooLarge
from orchestrator.subtitles.cues import Cue

MAX_BYTES = 1024 * 1024
"""A film of three hours has about 150 kB."""
MAX_CUE_CHARACTERS = 1000
"""The engines take 5000; so long a cue is no subtitle."""
SLACK_MS = 100
"""The last cue may end so much later than the clip; it is cut there. Programs round the clip's duration differently."""

_TIMING = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_BREAK = re.compile(r"\r\n|\n|\r")

NumberedLine = tuple[int, str]


def parse_srt(content: bytes, clip_end_ms: int) -> list[Cue]:
    """Return the cues of a SubRip file (UTF-8, a byte order mark is passed over), in order and without overlap.

    Raises:
        TranscriptTooLarge: more than MAX_BYTES.
        TranscriptRefused: names the line: not UTF-8, no cue, a cue without number, times or text, times that end before
            they start, overlap or lie beyond the clip.
    """
    if len(content) > MAX_BYTES:
        raise TranscriptTooLarge(1, f"the transcript has more than {MAX_BYTES} bytes")
    cues: list[Cue] = []
    for block in _blocks(_decoded(content)):
        cues.append(_cue(block, cues[-1].end_ms if cues else 0, clip_end_ms))
    if not cues:
        raise TranscriptRefused(1, "there is no cue")
    return cues


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\n|\r", content[: error.start])) + 1
        raise TranscriptRefused(line, "it is not UTF-8") from error


def _blocks(text: str) -> Iterator[list[NumberedLine]]:
    """Yield the runs of lines that are not blank."""
    block: list[NumberedLine] = []
    for number, line in enumerate(_LINE_BREAK.split(text), start=1):
        if _CONTROL.search(line):
            raise TranscriptRefused(number, "it holds a control character")
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _cue(block: list[NumberedLine], free_from_ms: int, clip_end_ms: int) -> Cue:
    (first, number), *rest = block
    if not _NUMBER.fullmatch(number):
        raise TranscriptRefused(first, "expected the number of a cue")
    if not rest:
        raise TranscriptRefused(first, "the cue has no times")
    at, timing = rest[0]
    match = _TIMING.fullmatch(timing)
    if match is None:
        raise TranscriptRefused(at, "expected times such as 00:00:01,500 --> 00:00:03,250")
    start_ms, end_ms = _ms(*match.groups()[:4]), _ms(*match.groups()[4:])
    if end_ms <= start_ms:
        raise TranscriptRefused(at, "the cue ends before it starts")
    if start_ms < free_from_ms:
        raise TranscriptRefused(at, "the cue overlaps the one before it")
    if end_ms > clip_end_ms + SLACK_MS or start_ms >= clip_end_ms:
        raise TranscriptRefused(at, f"the cue lies beyond the clip, which ends at {clip_end_ms / 1000:.3f} s")
    text = "\n".join(line for _, line in rest[1:])
    if not text:
        raise TranscriptRefused(at, "the cue has no text")
    if len(text) > MAX_CUE_CHARACTERS:
        raise TranscriptRefused(rest[1][0], f"the cue has more than {MAX_CUE_CHARACTERS} characters")
    return Cue(start_ms, min(end_ms, clip_end_ms), text)


def _ms(hours: str, minutes: str, seconds: str, ms: str) -> int:
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(ms)
