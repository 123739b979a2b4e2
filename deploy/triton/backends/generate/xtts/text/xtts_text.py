"""The text side of XTTS-v2 behind one class: checked and cut, normalised, tokenised. Pure: no Triton, no network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine_kit.refusals import InvalidRequest, require_one_of
from tokenizers import Tokenizer

from generate.fields import BadFolder

from .cleaning import clean
from .cutting import cut
from .languages import LANGUAGES, code_of
from .normaliser import Normaliser
from .scripts import foreign_script, has_words

TEXT, LANGUAGE = "TEXT", "LANGUAGE"
"""Inputs, which the messages of refusals begin with."""
_SPACE = "[SPACE]"
_NEEDED = ("[START]", "[STOP]", _SPACE, "[UNK]")


class XttsText:
    """Everything about text that one checkpoint's vocabulary decides. May be used by several threads."""

    languages: tuple[str, ...]
    """ISO 639-1 codes that can be asked for, in the checkpoint's order; "zh" stands for its "zh-cn"."""

    def __init__(self, vocabulary_file: Path, languages: Sequence[str], max_tokens: int | None = None) -> None:
        """Read vocab.json (the format of the library `tokenizers`); `languages` as the checkpoint's config has them.

        `max_tokens`: the most that `tokens` may return for a piece of `pieces`; None for no limit but the language's
        own of characters. BadFolder when the file is no such vocabulary, lacks one of [START], [STOP], [SPACE], [UNK],
        or has the token of none of the languages, or when the dictionary for Japanese is not installed.
        """
        self._max_tokens = max_tokens
        self._tokenizer = _read(vocabulary_file)
        names = [name for name in languages if code_of(name) in LANGUAGES and self._has(f"[{name}]")]
        self._tags = {code_of(name): f"[{name}]" for name in names}
        missing = [token for token in _NEEDED if not self._has(token)] or (
            [] if names else ["[en] or another language"]
        )
        if missing:
            raise BadFolder(vocabulary_file.parent, f"{vocabulary_file.name} lacks {' '.join(missing)}")
        self.languages = tuple(self._tags)
        special = [token.content for token in self._tokenizer.get_added_tokens_decoder().values()]
        self._special = re.compile("|".join(map(re.escape, special)))
        try:
            self._normaliser = Normaliser(self.languages)
        except RuntimeError as error:
            raise BadFolder(vocabulary_file.parent, f"Japanese cannot be read: {error}") from error

    def pieces(self, text: str, language: str) -> list[str]:
        """Cut a text into pieces that the model can speak at once, each with a letter or a figure in it.

        InvalidRequest (the message begins with LANGUAGE or TEXT): a language that is not served; a text without
        anything to speak, or in another script than the language's.
        """
        require_one_of(language, LANGUAGE, self.languages)
        cleaned = clean(text)
        if not has_words(cleaned):
            raise InvalidRequest(f"{TEXT} has nothing to speak, it needs a letter or a figure")
        script = foreign_script(cleaned, language)
        if script:
            raise InvalidRequest(f"{TEXT} is in {script} letters, {language!r} is not written in them")
        return cut(cleaned, lambda piece: self._fits(piece, language))

    def tokens(self, piece: str, language: str) -> tuple[int, ...]:
        """Number one piece: the language's token, then the normalised text; without start and stop.

        InvalidRequest: a language that is not served. Tokens written out in the text ("[en]") are only text.
        """
        require_one_of(language, LANGUAGE, self.languages)
        text = self._normaliser.normalise(piece, language)
        plain = self._special.sub(lambda found: found[0].strip("[]"), text)
        written = self._tags[language] + plain.replace(" ", _SPACE)
        return tuple(self._tokenizer.encode(written).ids)

    def _fits(self, piece: str, language: str) -> bool:
        if len(piece) > LANGUAGES[language].max_chars:
            return False
        return self._max_tokens is None or len(self.tokens(piece, language)) <= self._max_tokens

    def _has(self, token: str) -> bool:
        return self._tokenizer.token_to_id(token) is not None


def _read(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception whatever is wrong
        raise BadFolder(path.parent, f"{path.name} cannot be read: {error}") from error
