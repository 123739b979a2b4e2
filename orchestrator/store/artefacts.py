"""The names of everything that the media store keeps for a dub."""

import re
from enum import StrEnum

LANGUAGE_PATTERN = r"[a-z]{2,3}"
"""ISO 639 code, lower case."""


class Artefact(StrEnum):
    """A kind of artefact; the value is its name in the media store and the last part of its address over REST."""

    CLIP = "clip"
    """The source as uploaded."""
    RESULT = "result.mp4"
    SUBTITLES_SRT = "subtitles.<lang>.srt"
    SUBTITLES_VTT = "subtitles.<lang>.vtt"
    SEGMENTS = "segments.json"
    REPORT = "report.json"

    def in_language(self, language: str) -> str:
        """Return the stored name of subtitles in `language` (ISO 639, lower case); the others have one name.

        Raises:
            ValueError: `language` is no language code.
        """
        if not re.fullmatch(LANGUAGE_PATTERN, language):
            raise ValueError(f"{language!r} is no ISO 639 code")
        return self.value.replace("<lang>", language)


_STORED_NAME = re.compile("|".join(re.escape(kind).replace("<lang>", LANGUAGE_PATTERN) for kind in Artefact))


def check_name(name: str) -> str:
    """Return `name` if it is an artefact's stored name; raises ValueError otherwise: no other file is ever touched."""
    if not _STORED_NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no artefact")
    return name
