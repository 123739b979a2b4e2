"""Whisper's byte-pair vocabulary as a `tokenizers` file: from openai's ranks, or from a folder's vocab.json."""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from export.errors import ExtraMissing

Merge = tuple[str, str]


def assemble(vocabulary: Mapping[str, int], merges: Sequence[Merge], special: Sequence[str]) -> Tokenizer:
    """Make the tokenizer; `special` tokens are in the vocabulary already, or get the ids after it in their order.

    Byte level as in GPT-2: its splitting rule is Whisper's, and no blank is put before the text.
    """
    plain = {token: number for token, number in vocabulary.items() if token not in set(special)}
    tokenizer = Tokenizer(models.BPE(vocab=plain, merges=list(merges), fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # Timestamps too: they never stand in a text, and a tokenizer that knows them as text would find them there.
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


@cache
def openai_vocabulary(*, multilingual: bool) -> tuple[dict[str, int], list[Merge]]:
    """Return tokens by id, and merges, of the ranks that the package openai-whisper carries (ExtraMissing)."""
    package = find_spec("whisper")
    if package is None or package.origin is None:
        raise ExtraMissing("whisper")
    file = Path(package.origin).parent / "assets" / ("multilingual.tiktoken" if multilingual else "gpt2.tiktoken")
    lines = (line.split() for line in file.read_bytes().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    spelled = _byte_letters()
    vocabulary = {_spell(token, spelled): rank for token, rank in ranks.items()}
    halves = (_halves(token, ranks) for token in sorted(ranks, key=ranks.__getitem__) if len(token) > 1)
    return vocabulary, [(_spell(first, spelled), _spell(second, spelled)) for first, second in halves]


def special_tokens(languages: Sequence[str]) -> list[str]:
    """Return the tokens after the vocabulary in order of their ids (openai-whisper, tokenizer.py)."""
    return [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{code}|>" for code in languages),
        *(
            f"<|{name}|>"
            for name in ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
        ),
        *(f"<|{hundredths / 100:.2f}|>" for hundredths in range(0, 3001, 2)),
    ]


def language_codes(count: int) -> list[str]:
    """Return the first languages of Whisper's list, which its package carries (ExtraMissing): 99, from v3 on 100."""
    try:
        from whisper.tokenizer import LANGUAGES
    except ModuleNotFoundError as error:
        raise ExtraMissing(error.name or "whisper") from error
    return list(LANGUAGES)[:count]


def _halves(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """Return what the token is merged of: the two parts that are left when only lower ranks may merge."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        pairs = [ranks.get(parts[at] + parts[at + 1], len(ranks)) for at in range(len(parts) - 1)]
        at = min(range(len(pairs)), key=pairs.__getitem__)
        if pairs[at] >= ranks[token]:
            raise ValueError(f"{token!r} cannot be merged of tokens of lower rank")
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]


def _byte_letters() -> list[str]:
    """Return the letter that byte-level vocabularies write for each byte.

    Bytes that print stand for themselves; the others become the characters from U+0100 on, in their order.
    """
    printing = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printing else next(others)) for byte in range(256)]


def _spell(token: bytes, letters: Sequence[str]) -> str:
    return "".join(letters[byte] for byte in token)
