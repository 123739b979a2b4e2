"""Small stand-in vocabularies in the published format, learnt from the project's own evaluation paragraphs."""

import csv
import io
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import sentencepiece

_LEARNT_PIECES = 1200
"""At most, for each language: the paragraphs have no more to teach."""
_CHARACTERS = "0123456789.,;:!?¿¡-'\"()%"
"""Known whether or not the paragraphs have them."""
_FILLER = "\u2581word{}"
"""What stands in for the pieces that a large vocabulary would have learnt."""


def write_vocabulary(folder: Path, vocab_size: int, language_tokens: Sequence[str] = ()) -> None:
    """Write source.spm, target.spm and vocab.json: end 0, unknown 1, pieces of both languages, padding last.

    `vocab_size` beyond what is learnt is filled up with made-up words. ValueError when it is too small.
    """
    english, spanish = _paragraphs()
    room = vocab_size - 3 - len(language_tokens)
    pieces: dict[str, None] = dict.fromkeys(language_tokens)
    for name, lines in (("source.spm", english), ("target.spm", spanish)):
        model = _learn(lines, min(_LEARNT_PIECES, room // 2))
        (folder / name).write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        pieces |= dict.fromkeys(
            processor.id_to_piece(index)
            for index in range(processor.get_piece_size())
            if not (processor.is_control(index) or processor.is_unknown(index))
        )
    learnt = list(pieces)
    numbered = ["</s>", "<unk>", *learnt, *(_FILLER.format(index) for index in range(vocab_size - 3 - len(learnt)))]
    ids = {piece: number for number, piece in enumerate([*numbered, "<pad>"])}
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@cache
def _learn(lines: tuple[str, ...], pieces: int) -> bytes:
    written = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=written, model_type="unigram", vocab_size=pieces,
            hard_vocab_limit=False, character_coverage=1.0, required_chars=_CHARACTERS, num_threads=1, minloglevel=2,
        )  # fmt: skip
    except RuntimeError as error:
        raise ValueError(f"no vocabulary of {pieces} pieces can be learnt: {error}") from error
    return written.getvalue()


@cache
def _paragraphs() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the English and the Spanish sentences."""
    text = (files("orchestrator.evaluation") / "translation_en_es.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(row["english"].replace(" | ", " ") for row in rows), tuple(row["spanish"] for row in rows)
