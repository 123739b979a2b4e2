"""SubRip and WebVTT from the dub's sentences."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

MAX_LINE_CHARACTERS = 42
"""Common practice of subtitlers."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle. Times in whole milliseconds of the result's clock."""

    start_ms: int
    end_ms: int
    text: str


def to_srt(cues: Sequence[Cue]) -> str:
    """Return a SubRip file: numbered cues, a comma before the milliseconds."""
    blocks = (
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{_wrap(cue.text)}\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "\n".join(blocks)


def to_vtt(cues: Sequence[Cue]) -> str:
    """Return a WebVTT file (W3C): `&`, `<` and `>` escaped, so that text is never markup."""
    blocks = (
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_wrap(_escape(cue.text))}\n" for cue in cues
    )
    return "\n".join(["WEBVTT\n", *blocks])


def _clock(ms: int, decimal_mark: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{decimal_mark}{ms:03d}"


def _wrap(text: str) -> str:
    # a blank line would end the cue
    return "\n".join(textwrap.wrap(" ".join(text.split()), MAX_LINE_CHARACTERS, break_long_words=False)) or "…"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
