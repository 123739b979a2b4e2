"""A vocabulary in the published format: byte-pair encoding of characters, cut at blanks; ours is invented."""

from collections.abc import Iterator
from itertools import islice, product
from string import ascii_lowercase

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace

from export.xtts.synth_config import LANGUAGES
from export.xtts.vocabulary import SPACE, START, STOP, UNKNOWN, language_token

_SIGNS = "!'(),-./:;?0123456789«»¿¡…“”‘’–—،؟।"
_ACCENTED = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿąćčďęěğıłńňőœřśşšťůűźżž"
_SCRIPTS = (
    "".join(map(chr, range(ord("а"), ord("я") + 1))) + "ё",
    "".join(map(chr, range(0x0621, 0x064B))),
    "".join(map(chr, range(0x0905, 0x0940))) + "".join(map(chr, range(0x0940, 0x094E))),
)
"""Cyrillic, Arabic, Devanagari; Chinese, Japanese and Korean are written in Latin letters when they come here."""


def invented_vocabulary(count: int) -> Tokenizer:
    """Return a tokenizer of exactly `count` tokens: stop 0, unknown 1, blank 2, characters, languages, start, pairs.

    The merges are pairs of letters, then triples, and so on, in the order of the alphabet. ValueError: too few.
    """
    characters = dict.fromkeys((*ascii_lowercase, *_SIGNS, *_ACCENTED, *"".join(_SCRIPTS)))
    fixed = [STOP, UNKNOWN, SPACE, *characters, *map(language_token, LANGUAGES), START]
    if count < len(fixed):
        raise ValueError(f"a vocabulary of {count} tokens cannot have the {len(fixed)} that every text needs")
    merges = list(islice(_merges(), count - len(fixed)))
    tokens = [*fixed, *("".join(pair) for pair in merges)]
    model = BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges, unk_token=UNKNOWN)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = Whitespace()
    special = (STOP, UNKNOWN, SPACE, START, *map(language_token, LANGUAGES))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def _merges() -> Iterator[tuple[str, str]]:
    pairs = ["".join(pair) for pair in product(ascii_lowercase, repeat=2)]
    yield from product(ascii_lowercase, repeat=2)
    yield from product(pairs, ascii_lowercase)
