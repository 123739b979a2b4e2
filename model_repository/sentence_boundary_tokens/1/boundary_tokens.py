"""What of a text the sentence boundary network sees: its last words and marks as hashed numbers. Needs only numpy.

There is no vocabulary that could fail to fit the network: a word is where its hash falls. Two independent hashes make a
pair that few words share, the last letters tell the ending (and with it much of the grammar) of words never seen.
The exporter trains with this very module.
"""

import hashlib
import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

TOKENS = 48
"""Tokens of one text: 10 s of quick speech are about 35 words."""
FEATURES = 4
"""Numbers of a token: word hash, second word hash, ending hash, shape."""
WORD_BUCKETS = 8192
ENDING_BUCKETS = 2048
SHAPES = 8
"""0 is no token at all."""
MAX_TAIL_CHARS = 1200
"""What lies further from the end is not even looked at; 48 words rarely have more than 400."""

NOTHING, LOWER, CAPITAL, UPPER, DIGITS, ENDING_MARK, INNER_MARK, ELLIPSIS = range(SHAPES)

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,:]\d+)*|\.{2,}|[.?!…,;:¿¡—–-]")
_ENDING_MARKS = ".?!"
_ENDING_LETTERS = 3
_DOTS = "…"
_NUMBER = "0"
"""All numbers in digits are one word."""


def tokens_of(text: str) -> list[str]:
    """Split a text into words, numbers and marks; blanks, quotes, brackets, symbols and emoji are dropped."""
    return _TOKEN.findall(text)


def features_of(text: str) -> NDArray[np.int32]:
    """Return the tokens at the end of a text, int32 [TOKENS, FEATURES]; rows after the last token are zero."""
    found = tokens_of(_tail(text))[-TOKENS:]
    features = np.zeros((TOKENS, FEATURES), np.int32)
    for row, token in enumerate(found):
        features[row] = token_features(token)
    return features


@lru_cache(maxsize=65_536)
def token_features(token: str) -> tuple[int, int, int, int]:
    """Return the numbers of one token; hash 0 is left to padding and to words that training hides."""
    shape = _shape(token)
    word = _NUMBER if shape == DIGITS else _DOTS if shape == ELLIPSIS else token.lower().replace("’", "'")
    first, second = _hash(word, WORD_BUCKETS)
    ending, _ = _hash("*" + word[-_ENDING_LETTERS:], ENDING_BUCKETS)
    return first, second, ending, shape


def _tail(text: str) -> str:
    if len(text) <= MAX_TAIL_CHARS:
        return text
    tail = text[-MAX_TAIL_CHARS:]
    blank = re.search(r"\s", tail)  # begin with a whole word, if there is one
    return tail[blank.end() :] if blank else tail


def _shape(token: str) -> int:
    if token[0].isdigit():
        return DIGITS
    if token[0].isalpha():
        if len(token) > 1 and token.isupper():
            return UPPER
        return CAPITAL if token[0].isupper() else LOWER
    if len(token) > 1 or token == _DOTS:
        return ELLIPSIS
    return ENDING_MARK if token in _ENDING_MARKS else INNER_MARK


def _hash(word: str, buckets: int) -> tuple[int, int]:
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    first, second = (int.from_bytes(half, "little") for half in (digest[:4], digest[4:]))
    return first % (buckets - 1) + 1, second % (buckets - 1) + 1
