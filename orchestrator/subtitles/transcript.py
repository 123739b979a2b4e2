"""From the cues of somebody's subtitles to sentences: what is dubbed when a transcript is given instead of heard."""

import re
from collections.abc import Sequence

from orchestrator.errors import TranscriptRefused
from orchestrator.subtitles.cues import Cue, Line
from orchestrator.subtitles.srt import parse_srt
from orchestrator.subtitles.units import plain

_ENDS_SENTENCE = re.compile(r"[.?!…。？！][\"')\]}»”’」』）]*$")
_MARKUP = re.compile(r"</?(?:i|b|u|s|font|ruby|rt)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
"""SubRip's tags and the placing codes of SubStation: for players, not for a voice."""


MAX_PAUSE_MS = 1000
"""So long a silence within a sentence is rare: the next cue then begins another one."""


def read_transcript(content: bytes, clip_end_ms: int, max_sentence_ms: int) -> tuple[Line, ...]:
    """Return the sentences of a SubRip file; raises TranscriptRefused, also when nothing in it can be spoken."""
    cues = parse_srt(content, clip_end_ms)
    sentences = tuple(sentences_of(cues, max_pause_ms=MAX_PAUSE_MS, max_sentence_ms=max_sentence_ms))
    if not sentences:
        raise TranscriptRefused(1, "no cue has a text that can be spoken")
    return sentences


def sentences_of(cues: Sequence[Cue], *, max_pause_ms: int, max_sentence_ms: int) -> list[Line]:
    """Join cues until the text ends a sentence; a sentence has the times of its first and last cue.

    A longer pause than `max_pause_ms`, or a sentence that would become longer than `max_sentence_ms`, ends it as well.
    Cues of nothing but markup are left out.
    """
    sentences: list[Line] = []
    for cue in cues:
        text = plain(_MARKUP.sub("", cue.text))
        if not text:
            continue
        last = sentences[-1] if sentences else None
        if (
            last is not None
            and not _ENDS_SENTENCE.search(last.text)
            and cue.start_ms - last.end_ms <= max_pause_ms
            and cue.end_ms - last.start_ms <= max_sentence_ms
        ):
            sentences[-1] = Line(last.start_ms, cue.end_ms, f"{last.text} {text}")
        else:
            sentences.append(Line(cue.start_ms, cue.end_ms, text))
    return sentences
