"""What a person says against one sentence of a dub: another text, translation or speaker, or leave it alone."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from orchestrator.errors import CorrectionRefused
from orchestrator.face_choice import MAX_TRACK

MAX_CHARACTERS = 1000
"""Of a text: ten seconds of fast speech have about 250 characters."""
FIELDS = ("text", "translation", "speaker", "skip")


class Correction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Replaces what the stages made of one sentence; what is "", None or false is left to them."""

    text: str = ""
    """What is really said, in the source language: translated anew, unless `translation` is given as well."""
    translation: str = ""
    """What the dub says, word for word."""
    speaker: int | None = None
    """Whose lips move: number of the face in report.json, 0 for nobody's; None leaves it to the session."""
    skip: bool = False
    """The sentence keeps its own sound and picture; the texts wait until this is taken back."""

    def changed(self, patch: Mapping[str, Any]) -> "Correction":
        """Return the correction with a JSON merge patch (RFC 7396) applied: null takes a field back.

        Raises:
            CorrectionRefused: an unknown field, a wrong type, an empty or too long text, characters that nobody says.
        """
        if not patch:
            raise CorrectionRefused(f"nothing to change; there are {', '.join(FIELDS)}")
        unknown = sorted(set(patch) - set(FIELDS))
        if unknown:
            raise CorrectionRefused(f"unknown field {unknown[0]!r}; there are {', '.join(FIELDS)}")
        values: dict[str, Any] = msgspec.to_builtins(self)
        for field, value in patch.items():
            if value is None:
                values.pop(field, None)
            else:
                values[field] = _READ[field](field, value)
        return Correction(**values)

    def stored(self) -> dict[str, Any]:
        """Return it as JSON; {} when nothing is corrected."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return values


def _switch(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise CorrectionRefused(f"{field}: must be true or false")
    return value


def _face(field: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_TRACK:
        raise CorrectionRefused(f"{field}: must be the number of a face in report.json, or 0 for nobody")
    return value


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise CorrectionRefused(f"{field}: must be a text")
    text = " ".join(value.split())
    if not text:
        raise CorrectionRefused(f"{field}: is empty; null takes a correction back, skip leaves the sentence as it was")
    if len(text) > MAX_CHARACTERS:
        raise CorrectionRefused(f"{field}: has {len(text)} characters, {MAX_CHARACTERS} are allowed")
    if not text.isprintable():
        raise CorrectionRefused(f"{field}: has characters that cannot be shown")
    if not any(character.isalnum() for character in text):
        raise CorrectionRefused(f"{field}: has nothing that can be said")
    return text


_READ: Mapping[str, Callable[[str, object], str | int | bool]] = {
    "text": _text,
    "translation": _text,
    "speaker": _face,
    "skip": _switch,
}
