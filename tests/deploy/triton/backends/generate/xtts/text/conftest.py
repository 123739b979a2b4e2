"""A vocabulary in the published format, small, and the text side that it makes."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from generate.xtts.text import XttsText
from generate.xtts.text.normaliser import Normaliser
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace

LANGUAGES = ["en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "zh-cn", "hu", "ko", "ja", "hi"]
SPECIAL = ["[STOP]", "[UNK]", "[SPACE]", *(f"[{name}]" for name in LANGUAGES), "[START]"]

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def write_vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Writes vocab.json with the special tokens given and single letters, "th" being the one merge."""

    def write(special: Sequence[str] = SPECIAL, letters: str = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-ñç") -> Path:
        pieces = [*special, *letters, "th"]
        model = BPE(
            vocab={piece: number for number, piece in enumerate(pieces)}, merges=[("t", "h")], unk_token="[UNK]"
        )
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = Whitespace()
        tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in special])
        path = tmp_path_factory.mktemp("vocabulary") / "vocab.json"
        tokenizer.save(str(path))
        return path

    return write


@pytest.fixture(scope="session")
def text(write_vocabulary: Write) -> XttsText:
    return XttsText(write_vocabulary(), LANGUAGES)


@pytest.fixture(scope="session")
def normaliser() -> Normaliser:
    return Normaliser(["ja"])
