"""The request's `background`: what becomes of the source's sound, in words that travel through forms and messages."""

import re
from dataclasses import dataclass
from typing import Self

from orchestrator.errors import BadRequest
from orchestrator.settings import SoundSettings

DUCK, OFF = "duck", "off"
QUIETEST_DB = -60.0
_LEVEL = re.compile(r"-[0-9]{1,2}(?:\.[0-9]{1,2})?|0(?:\.0{1,2})?")
_FORMS = f'write "{DUCK}", "{OFF}", or the level under the dub in decibels, 0 to {QUIETEST_DB:.0f} ("-24")'


@dataclass(frozen=True, slots=True)
class BackgroundChoice:
    """Kept, quieter by `duck_db` while somebody speaks; or not kept."""

    kept: bool
    duck_db: float | None = None
    """-60..0; None: what the settings say."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read the field; None when it is empty: then the settings decide. Raises BadRequest."""
        text = text.strip().lower()
        if not text:
            return None
        if text in (DUCK, OFF):
            return cls(kept=text == DUCK)
        level = text.removesuffix("db").strip()
        if _LEVEL.fullmatch(level) is None or float(level) < QUIETEST_DB:
            raise BadRequest(f"background: cannot read {text[:80]!r}; {_FORMS}")
        return cls(kept=True, duck_db=float(level))

    def __str__(self) -> str:
        """Write it as the field takes it."""
        if not self.kept:
            return OFF
        return DUCK if self.duck_db is None else f"{self.duck_db:g}"


def duck_level_db(choice: BackgroundChoice | None, settings: SoundSettings) -> float | None:
    """Return how loud the source's sound is under the dub, in decibels; None when it is not kept."""
    choice = choice or BackgroundChoice(kept=settings.background == DUCK)
    if not choice.kept:
        return None
    return settings.duck_db if choice.duck_db is None else choice.duck_db
