"""Opus-MT's tokens: two sentencepiece models that cut text into pieces, and vocab.json that numbers the pieces.

Numbers as transformers' MarianTokenizer does (models/marian/tokenization_marian.py), with one difference on purpose:
text is only ever text. "</s>", "<pad>" or ">>fr<<" written by a speaker are characters, not tokens; the target language
comes as an argument.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sentencepiece import SentencePieceProcessor

SOURCE_FILE, TARGET_FILE, VOCABULARY_FILE = "source.spm", "target.spm", "vocab.json"
FILES = (SOURCE_FILE, TARGET_FILE, VOCABULARY_FILE)
"""Names as published; the exporter copies them into the version."""

_END, _UNKNOWN, _PAD = "</s>", "<unk>", "<pad>"
_SPACE = "\u2581"  # sentencepiece's mark of a word's beginning
_KNOWN_SHARE = 0.5
"""Of the source model's pieces must be in vocab.json: fewer mean that the files are not of one model."""


class VocabularyMismatch(ValueError):
    """The tokenizer's files cannot be read, or do not belong together or to the graphs."""


class Vocabulary:
    """Text to token ids and back."""

    def __init__(self, folder: Path, vocab_size: int) -> None:
        """Read the three files; `vocab_size`: rows of the model's embedding.

        Raises:
            VocabularyMismatch: a file is missing or damaged, or they do not fit each other or the embedding.
        """
        self._source = _sentencepiece(folder / SOURCE_FILE)
        _sentencepiece(folder / TARGET_FILE)  # of no use for the tokens, but half a tokenizer is a damaged one
        self._ids = _read_ids(folder / VOCABULARY_FILE, vocab_size)
        self._texts = {number: piece for piece, number in self._ids.items()}
        self._end, self._unknown = self._ids[_END], self._ids[_UNKNOWN]
        self._special = {self._ids[piece] for piece in (_END, _UNKNOWN, _PAD)}
        self._check_pieces(folder.name)

    @property
    def language_tokens(self) -> tuple[str, ...]:
        """The `>>xx<<` of a model with several target languages; none for a model with one."""
        return tuple(piece for piece in self._ids if piece.startswith(">>") and piece.endswith("<<"))

    def encode(self, text: str, language_token: str = "") -> list[int]:
        """Number the pieces of a text; the end token is the last. KeyError: there is no such language token."""
        prefix = [self._ids[language_token]] if language_token else []
        pieces: Sequence[str] = self._source.encode(text, out_type=str)
        return [*prefix, *(self._ids.get(piece, self._unknown) for piece in pieces), self._end]

    def decode(self, tokens: Sequence[int]) -> str:
        """Join the pieces of a translation, without end, padding and unknown ones, and numbers without a piece."""
        pieces = [self._texts[token] for token in tokens if token in self._texts and token not in self._special]
        # The source model joins both languages' pieces, as MarianTokenizer does: joining asks no model for its pieces.
        text: str = self._source.decode_pieces(pieces)
        return text.replace(_SPACE, " ").strip()

    def _check_pieces(self, folder: str) -> None:
        count = self._source.get_piece_size()
        known = sum(self._source.id_to_piece(index) in self._ids for index in range(count))
        if known < _KNOWN_SHARE * count:
            shares = f"{VOCABULARY_FILE} has {known} of the {count} pieces of {SOURCE_FILE}"
            raise VocabularyMismatch(f"{folder}: {shares}: they are not of one model")


def _sentencepiece(path: Path) -> SentencePieceProcessor:
    if not path.is_file():
        raise VocabularyMismatch(f"{path.name} is missing")
    try:
        return SentencePieceProcessor(model_file=str(path))
    except (RuntimeError, OSError) as error:
        raise VocabularyMismatch(f"{path.name} is no sentencepiece model: {error}") from error


def _read_ids(path: Path, vocab_size: int) -> Mapping[str, int]:
    try:
        ids = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VocabularyMismatch(f"{path.name} cannot be read: {error}") from error
    if not isinstance(ids, dict) or not all(type(number) is int for number in ids.values()):
        raise VocabularyMismatch(f"{path.name} does not number pieces")
    missing = [piece for piece in (_END, _UNKNOWN, _PAD) if piece not in ids]
    if missing:
        raise VocabularyMismatch(f"{path.name} lacks {' '.join(missing)}")
    outside = [piece for piece, number in ids.items() if not 0 <= number < vocab_size]
    if outside:
        raise VocabularyMismatch(
            f"{path.name} does not fit the model: {outside[0]!r} is number {ids[outside[0]]}, "
            f"and the model has {vocab_size} tokens"
        )
    return ids
