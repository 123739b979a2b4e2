"""A text as the pieces that are spoken one after the other. Pure."""

from __future__ import annotations

from generate.sentences import Fits, split_long, split_sentences

from .scripts import has_words


def cut(text: str, fits: Fits) -> list[str]:
    """Cut at the ends of sentences, else of clauses, else between words, else anywhere; as few pieces as fit.

    Lines are joined by blanks. Punctuation that would be a piece of its own is left out.
    """
    parts = [part for sentence in split_sentences(text) for part in split_long(sentence, fits)]
    pieces, gap = [""], ""
    for part in parts:
        joined = f"{pieces[-1]}{' ' if gap else ''}{part.text}".lstrip()
        if fits(joined):
            pieces[-1] = joined
        else:
            pieces.append(part.text)
        gap = part.gap
    return [piece.strip() for piece in pieces if has_words(piece)]
