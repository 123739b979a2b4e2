"""Examples that the network is calibrated and tested on: texts as a recogniser would give them, whole or cut short.

Half are complete; of those some lack the last mark. The others end inside a sentence, at places where people pause;
some carry a full stop or an ellipsis there all the same, as recognisers print after a chunk. See docs/SENTENCES.md.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from export.sentence_boundary.corpus import Passage
from export.sentence_boundary.styles import PUNCTUATED, SPEECH, STYLES, speech_like, words

SENTENCES_JOINED = (1, 1, 1, 1, 2, 2, 3)
"""How many sentences a text has; drawn evenly from this list."""
LEFT_CUT = 0.15
"""Share of texts whose beginning is missing."""
MARK_MISSING, LOWER_CASED = 0.15, 0.1
"""Of punctuated texts: complete ones without the last mark; any without capitals."""
MARK_SPURIOUS = 0.15
"""Of punctuated texts that are incomplete: a full stop or an ellipsis where they were cut."""

JOINTS = {
    "en": words("that which who whose when where if before after as than to of with"),
    "es": words("que quien cual cuando donde si como para por con de en a"),
}
"""Words that lead on: before them people pause, and what they said cannot stand by itself."""
CLAUSES = {
    "en": words("and but or nor so yet because for although though while since unless until"),
    "es": words("y e ni o u pero mas sino porque pues aunque mientras así"),
}
"""Words before which a clause often ends. What was said may be a whole sentence by then or not: nobody can tell."""
CLAUSE_MARKS = (";", ":", "—", "–")
"""The same, written."""


@dataclass(frozen=True)
class Example:
    """One text with its answer."""

    text: str
    complete: bool
    language: str
    style: str
    kind: str
    """How it was made: `whole`, `prefix`, `joint`, `comma`, `abbreviation`, or `clause` (see `clauses`)."""
    group: str

    def as_json(self) -> dict[str, object]:
        """For a file of examples."""
        return asdict(self)


def balanced(passages: Sequence[Passage], each: int, seed: int) -> list[Example]:
    """Make `each` complete and as many incomplete examples of every language and style; fewer never."""
    return _make(passages, ("whole", "cut"), each, seed)


def clauses(passages: Sequence[Passage], each: int, seed: int) -> list[Example]:
    """Make `each` examples of every language and style that end where a clause often does: "We sat down | and ate".

    They are called incomplete, as the sentence went on; but many are whole sentences as far as they were heard, so they
    are told apart from the others and nothing is learnt from such places.
    """
    return _make(passages, ("clause",), each, seed)


def _make(passages: Sequence[Passage], ways: Sequence[str], each: int, seed: int) -> list[Example]:
    found: list[Example] = []
    for language in sorted({passage.language for passage in passages}):
        for style in STYLES:
            rng = random.Random(f"{seed} {language} {style}")  # noqa: S311 - repeatable
            by_group: dict[str, list[Passage]] = {}
            for passage in passages:
                if passage.language == language:
                    by_group.setdefault(passage.group, []).append(passage)
            for way in ways:
                made = 0
                while made < each:
                    example = _example(_draw(by_group, rng), style, way, rng)
                    if example is not None:
                        found.append(example)
                        made += 1
    return found


def _draw(by_group: dict[str, list[Passage]], rng: random.Random) -> Passage:
    """Draw a passage; groups weigh by the square root of their size, so that none hides the others."""
    names = sorted(by_group)
    group = rng.choices(names, [len(by_group[name]) ** 0.5 for name in names])[0]
    return rng.choice(by_group[group])


def _example(passage: Passage, style: str, way: str, rng: random.Random) -> Example | None:
    first = rng.randrange(len(passage.sentences))
    taken = passage.sentences[first : first + rng.choice(SENTENCES_JOINED)]
    *before, last = taken
    kind, complete = way, way == "whole"
    if not complete:
        place = _cut(last.split(), passage.language, way, rng)
        if place is None:
            return None
        kept, kind = place
        last = " ".join(kept)
    texts = [speech_like(text, passage.language) if style == SPEECH else text for text in (*before, last)]
    known = [text for text in texts if text is not None]
    if len(known) < len(texts) or not known[-1].strip():
        return None
    text = _from_left(" ".join(known), rng)
    if style == PUNCTUATED:
        text = _with_faults(text, complete, rng)
    return Example(text, complete, passage.language, style, kind, passage.group)


def _cut(spoken: list[str], language: str, way: str, rng: random.Random) -> tuple[list[str], str] | None:
    """Return the words before a place where somebody could pause, and the kind of place."""

    def ends_clause(at: int) -> bool:
        return spoken[at].lower() in CLAUSES[language] or spoken[at - 1].endswith(CLAUSE_MARKS)

    inside = [at for at in range(1, len(spoken)) if ends_clause(at) == (way == "clause")]
    if way == "clause":
        return (spoken[: rng.choice(inside)], way) if inside else None
    places = {
        "prefix": list(inside),
        "joint": [at for at in inside if spoken[at].lower() in JOINTS[language]],
        "comma": [at for at in inside if spoken[at - 1].endswith(",")],
        "abbreviation": [at for at in inside if re.search(r"\w\.$", spoken[at - 1])],
    }
    kinds = [kind for kind in ("prefix", "prefix", "joint", "comma", "abbreviation") if places[kind]]
    if not kinds:
        return None
    kind = rng.choice(kinds)
    return spoken[: rng.choice(places[kind])], kind


def _from_left(text: str, rng: random.Random) -> str:
    spoken = text.split()
    if len(spoken) < 8 or rng.random() >= LEFT_CUT:
        return text
    return " ".join(spoken[rng.randrange(1, len(spoken) // 2) :])


def _with_faults(text: str, complete: bool, rng: random.Random) -> str:
    if complete and rng.random() < MARK_MISSING:
        text = re.sub(r"[.?!…\"'”’»)\]]+$", "", text)
    if not complete and rng.random() < MARK_SPURIOUS:
        text = text.rstrip(",;:") + rng.choice((".", ".", "..."))
    return text.lower() if rng.random() < LOWER_CASED else text
