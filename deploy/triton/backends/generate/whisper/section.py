"""What generation.json says of a Whisper checkpoint (section `whisper`), and what the decoder starts with. Pure.

The fields are described in docs/SPEECH.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine_kit.refusals import InvalidRequest

from generate.fields import BadFolder, Fields

ENGLISH = "en"
_NO_TOKEN = -1
_CODES = {"jw": "jv"}
"""Whisper's vocabulary -> ISO 639-1, where they differ: Javanese."""
_NAMED_IN_ERRORS = 12


@dataclass(frozen=True, slots=True)
class WhisperSection:
    """Ids and sizes of one checkpoint."""

    multilingual: bool
    n_mels: int
    audio_positions: int
    sot: int
    transcribe: int
    """-1 where the checkpoint is not multilingual."""
    no_timestamps: int
    no_speech: int
    languages: Mapping[str, int]
    """ISO 639 code -> id of its token; only English, without a token (-1), where the checkpoint is not multilingual."""

    @property
    def window_frames(self) -> int:
        """Mel frames that the network hears at once: 3000, that is 30 s, in every published size."""
        return 2 * self.audio_positions

    def prompt(self, language: str) -> tuple[int, ...]:
        """Return the ids that the decoder starts with; `language` must be one of `languages`."""
        if not self.multilingual:
            return (self.sot, self.no_timestamps)
        return (self.sot, self.languages[language], self.transcribe, self.no_timestamps)

    def candidates(self, language: str) -> tuple[str, ...]:
        """Return which languages a LANGUAGE leaves open: one, several separated by blanks, or all ("").

        Of several those that the checkpoint does not know are left out; where it knows none of them: InvalidRequest.
        """
        asked = language.split()
        known = tuple(code for code in dict.fromkeys(asked) if code in self.languages)
        if asked and not known:
            named = sorted(self.languages)
            more = f" … ({len(named)} in all)" if len(named) > _NAMED_IN_ERRORS else ""
            some = " ".join(named[:_NAMED_IN_ERRORS]) + more
            raise InvalidRequest(f"LANGUAGE {language!r} is not served; there are: {some}")
        return known or tuple(self.languages)


def read_section(fields: Fields, vocab_size: int) -> WhisperSection:
    """Read the section and check each field; BadFolder names the one that cannot be."""
    fields.only(*WhisperSection.__slots__)
    multilingual, last = fields.switch("multilingual"), vocab_size - 1
    return WhisperSection(
        multilingual=multilingual,
        n_mels=fields.integer("n_mels", 1),
        audio_positions=fields.integer("audio_positions", 2),
        sot=fields.integer("sot", 0, last),
        transcribe=fields.integer("transcribe", 0, last) if multilingual else _NO_TOKEN,
        no_timestamps=fields.integer("no_timestamps", 0, last),
        no_speech=fields.integer("no_speech", 0, last),
        languages=_languages(fields.inner("languages"), last) if multilingual else {ENGLISH: _NO_TOKEN},
    )


def _languages(stated: Fields, last: int) -> dict[str, int]:
    found = {_CODES.get(code, code): stated.integer(code, 0, last) for code in stated.raw}
    if not found:
        raise BadFolder(stated.folder, f"generation.json: {stated.where} is empty, but the checkpoint is multilingual")
    if len(set(found.values())) != len(stated.raw):
        raise BadFolder(stated.folder, f"generation.json: {stated.where} gives two languages one token")
    return found
