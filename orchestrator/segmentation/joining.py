"""The texts of several chunks as one: what a recogniser writes at the edges of each chunk does not belong inside."""

import re
from collections.abc import Sequence

_FULL_STOP = re.compile(r"\s*(\.+|…|。)$")
_PUNCTUATED = re.compile(r"[.,;:?!…。，、；：？！¿¡؟،।]")
_PRONOUN = re.compile(r"I\b")
"""English, a capital wherever it stands."""


def is_punctuated(text: str) -> bool:
    """Tell whether `text` has any punctuation mark; hyphens and apostrophes are none."""
    return bool(_PUNCTUATED.search(text))


def join_texts(texts: Sequence[str]) -> str:
    """Join what was heard in chunks that make one sentence; parts without text are left out.

    A recogniser that punctuates ends every chunk with a full stop or dots; where the sentence goes on they are dropped.
    One that does not punctuate knows no names either: a capital with which it begins a chunk is lowered inside.
    """
    said = [text for text in texts if text]
    plain = not any(is_punctuated(text) for text in said)
    parts = [*(_FULL_STOP.sub("", text) for text in said[:-1]), *said[-1:]]
    parts = [part for part in parts if part]
    return " ".join([*parts[:1], *(_lowered(part) if plain else part for part in parts[1:])])


def _lowered(part: str) -> str:
    shouted = part[1:2].isupper()
    return part if shouted or _PRONOUN.match(part) else part[:1].lower() + part[1:]
