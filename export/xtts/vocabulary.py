"""vocab.json: which text tokens the network reads, in the format of the tokenizers library."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from export.errors import CheckpointRefused

VOCABULARY = "vocab.json"
START, STOP, SPACE, UNKNOWN = "[START]", "[STOP]", "[SPACE]", "[UNK]"
"""Before and after every text; in place of each blank; of what no other token has."""


@dataclass(frozen=True)
class TextTokens:
    """What the network must know of a vocabulary."""

    count: int
    """The greatest id and one."""
    start: int
    stop: int


def language_token(language: str) -> str:
    """Return the token that stands before a text: "[en]"."""
    return f"[{language}]"


def read_vocabulary(path: Path) -> Tokenizer:
    """Read the file; CheckpointRefused when it is not in the library's format."""
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise CheckpointRefused(f"{path.name} is no vocabulary in tokenizers' format: {error}") from error


def text_tokens(tokenizer: Tokenizer, languages: Sequence[str]) -> TextTokens:
    """Find the tokens that every text has; CheckpointRefused names those that the vocabulary lacks."""
    ids = tokenizer.get_vocab()
    needed = (START, STOP, SPACE, UNKNOWN, *map(language_token, languages))
    missing = [token for token in needed if token not in ids]
    if missing:
        raise CheckpointRefused(f"{VOCABULARY} is not of this checkpoint: it has no {', '.join(missing)}")
    return TextTokens(max(ids.values()) + 1, ids[START], ids[STOP])
