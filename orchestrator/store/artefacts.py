"""The names of everything that the media store keeps for a dub."""

import re
from enum import StrEnum

LANGUAGE_PATTERN = r"[a-z]{2,3}"
"""ISO 639 code, lower case."""


class Artefact(StrEnum):
    """A kind of artefact; the value is its name in the media store and the last part of its address over REST."""

    CLIP = "clip"
    """The source as uploaded."""
    TRANSCRIPT = "transcript.srt"
    """What is spoken in it, where the request said so."""
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


_ARTEFACT_NAME = "|".join(re.escape(kind).replace("<lang>", LANGUAGE_PATTERN) for kind in Artefact)
_STORED_NAME = re.compile(rf"(?:r[1-9][0-9]{{0,8}}\.)?(?:{_ARTEFACT_NAME})|cache/[0-9a-f]{{64}}")

FIRST_REVISION = 1
"""Of a dub as it was first made; each render that succeeds makes the next one."""


def check_name(name: str) -> str:
    """Return `name` if it is a stored name; raises ValueError otherwise: no other file is ever touched.

    Stored names are an artefact's, perhaps of a later revision, and `cache/<SHA-256>` (stage_cache.py).
    """
    if not _STORED_NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no artefact")
    return name


def in_revision(name: str, revision: int) -> str:
    """Return the stored name of artefact `name` as a revision made it; the first one's are plain."""
    return name if revision == FIRST_REVISION else f"r{revision}.{name}"


def of_revision(names: list[str], revision: int) -> list[str]:
    """Return the plain names of those of a dub's stored names that a revision made (the clip counts to the first)."""
    found = (re.fullmatch(r"(?:r([1-9][0-9]*)\.)?(.+)", name) for name in names)
    return [match[2] for match in found if match and int(match[1] or FIRST_REVISION) == revision]
