"""Paragraphs spoken with pauses where people make them: between sentences, and inside them. Reproducible by a seed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.evaluation.flite import SAMPLE_RATE_HZ, silence
from orchestrator.evaluation.paragraphs import Paragraph

Voice = Callable[[str], NDArray[np.float32]]
"""text -> mono speech [n] at SAMPLE_RATE_HZ without silence around it."""

LEAD_S, TAIL_S = 0.65, 0.80
"""Silence before and after a paragraph."""
INNER_PAUSE_S = (0.6, 0.9)
"""Inside a sentence: longer than the 0.5 s that end a chunk, so that pauses alone cut the sentence."""
SENTENCE_PAUSE_S = (0.7, 1.1)
"""Between sentences. The ranges overlap, as people's do: the length of a pause alone does not tell."""
_FLUENT_SHARE = 0.15
"""Paragraphs without any pause inside a sentence."""
_PAUSED_SHARE = 0.75
"""In the others, ends of clauses where the speaker pauses."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is said without a pause."""

    sentence: int
    """Its number in the paragraph."""
    text: str
    pause_s: float
    """Silence after it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An utterance in the sound. Seconds from its start."""

    sentence: int
    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class SpokenParagraph:
    """The sound of a paragraph and where everything lies in it."""

    samples: NDArray[np.float32]
    """Mono [n] at SAMPLE_RATE_HZ, -1..1."""
    pieces: tuple[Piece, ...]

    def sentence_spans_s(self) -> list[tuple[float, float]]:
        """Return start and end of every sentence."""
        numbers = sorted({piece.sentence for piece in self.pieces})
        spans = [[piece for piece in self.pieces if piece.sentence == number] for number in numbers]
        return [(span[0].start_s, span[-1].end_s) for span in spans]


def plan_pauses(paragraph: Paragraph, seed: int) -> list[Utterance]:
    """Decide where the speaker pauses and how long: by `seed` and the paragraph's number alone."""
    chance = random.Random(f"{seed}-{paragraph.number}")  # noqa: S311 - reproducible, not secret
    fluent = chance.random() < _FLUENT_SHARE
    utterances: list[Utterance] = []
    for number, sentence in enumerate(paragraph.sentences):
        said: list[str] = []
        for clause in sentence.clauses[:-1]:
            said.append(clause)
            paused, pause_s = chance.random() < _PAUSED_SHARE, chance.uniform(*INNER_PAUSE_S)
            if paused and not fluent:
                utterances.append(Utterance(number, " ".join(said), pause_s))
                said = []
        said.append(sentence.clauses[-1])
        utterances.append(Utterance(number, " ".join(said), chance.uniform(*SENTENCE_PAUSE_S)))
    return utterances


def speak_paragraph(utterances: Sequence[Utterance], voice: Voice) -> SpokenParagraph:
    """Speak them one after the other; the pause after the last one is TAIL_S."""
    parts, pieces = [silence(LEAD_S)], []
    length = len(parts[0])
    for number, utterance in enumerate(utterances, start=1):
        speech = voice(utterance.text)
        pause = silence(utterance.pause_s if number < len(utterances) else TAIL_S)
        start_s, end_s = length / SAMPLE_RATE_HZ, (length + len(speech)) / SAMPLE_RATE_HZ
        pieces.append(Piece(utterance.sentence, utterance.text, start_s, end_s))
        parts += [speech, pause]
        length += len(speech) + len(pause)
    return SpokenParagraph(np.concatenate(parts), tuple(pieces))
