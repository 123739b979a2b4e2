"""Whole sentences told by punctuation and pauses: what decides where no boundary engine can be asked."""

import re

from orchestrator.segmentation.sentences import Gate, Opinion
from orchestrator.settings import GateSettings

_SENTENCE_END = re.compile(r"[.?!。？！؟।]+[\"'”’»)\]]*$")
_TRAILING_OFF = re.compile(r"(\.{2,}|…)[\"'”’»)\]]*$")
"""Recognisers write dots where the speaker broke off: the sentence goes on."""


def by_punctuation(text: str, settings: GateSettings, fallback: str = "", *, punctuates: bool) -> Opinion:
    """Judge `text` by its last character; `fallback` says why that must do.

    `punctuates`: the recogniser writes punctuation. The text of one that does not tells nothing: a shorter pause
    (`sentence_pause_s`) ends it.
    """
    text = text.strip()
    if _SENTENCE_END.search(text) and not _TRAILING_OFF.search(text):
        return Opinion(True, Gate.PUNCTUATION, fallback=fallback)
    pause_s = settings.max_pause_s if punctuates else settings.sentence_pause_s
    return Opinion(False, Gate.PUNCTUATION, pause_ms=round(pause_s * 1000), fallback=fallback)
