"""Token ids to text, with the library `tokenizers` and the vocabulary of the version. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tokenizers import Tokenizer

from generate.fields import BadFolder
from generate.folder import VersionFolder

from .section import WhisperSection

FILE = "tokenizer.json"
_NAMES = {"sot": "<|startoftranscript|>", "transcribe": "<|transcribe|>", "no_timestamps": "<|notimestamps|>"}
_END = "<|endoftext|>"


class Vocabulary:
    """Reads `tokenizer.json`; BadFolder when it is not the vocabulary that generation.json speaks of."""

    def __init__(self, folder: VersionFolder, section: WhisperSection) -> None:
        path = folder.file(FILE)
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises a bare Exception whatever is wrong
            raise BadFolder(folder.path, f"{FILE} cannot be read: {error}") from error
        if len(folder.settings.eos) != 1:
            raise BadFolder(folder.path, f"generation.json: eos must be the one id of {_END}")
        [self._end_token] = folder.settings.eos
        expected = {name: getattr(section, field) for field, name in _NAMES.items() if getattr(section, field) >= 0}
        self._check(folder, {**expected, _END: self._end_token})

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of sampled ids, blanks around it taken off.

        <|endoftext|> and every id above it is a special token and left out. Bytes that are no whole character (a token
        may hold half of one) become U+FFFD.
        """
        said = [token for token in tokens if token < self._end_token]
        return str(self._tokenizer.decode(said, skip_special_tokens=False)).strip()

    def _check(self, folder: VersionFolder, expected: Mapping[str, int]) -> None:
        size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        if size > folder.settings.vocab_size:
            raise BadFolder(folder.path, f"{FILE} has {size} tokens, the network only {folder.settings.vocab_size}")
        for token, number in expected.items():
            found = self._tokenizer.token_to_id(token)
            if found != number:
                raise BadFolder(folder.path, f"{FILE} gives {token} the id {found}, generation.json {number}")
