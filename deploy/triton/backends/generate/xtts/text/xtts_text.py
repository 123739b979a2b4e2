"""The text side of XTTS-v2 behind one class. Pure: no Triton, no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class XttsText:
    """Checks, cuts, normalises and tokenises text with one checkpoint's vocabulary."""

    languages: tuple[str, ...]
    """ISO 639-1 codes that can be asked for, in the checkpoint's order; "zh" stands for its "zh-cn"."""

    def __init__(self, vocabulary_file: Path, languages: Sequence[str]) -> None:
        """Read vocab.json (the format of the library `tokenizers`); `languages` as the checkpoint's config has them.

        generate.fields.BadFolder when the file is no such vocabulary, lacks one of [START], [STOP], [SPACE], [UNK], or
        has the token of none of the languages.
        """
        raise NotImplementedError

    def pieces(self, text: str, language: str) -> list[str]:
        """Cut a text into pieces that the model can speak at once, each with a letter or a figure in it.

        InvalidRequest (the message begins with LANGUAGE or TEXT): a language that is not served; a text without
        anything to speak, or in another script than the language's.
        """
        raise NotImplementedError

    def tokens(self, piece: str, language: str) -> tuple[int, ...]:
        """Number one piece: the language's token, then the normalised text; without start and stop."""
        raise NotImplementedError
