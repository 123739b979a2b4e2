"""The figures of an evaluation, as they are printed and written to `translation.json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from orchestrator.evaluation.bootstrap import Gain, paired_bootstrap
from orchestrator.evaluation.scores import METRICS, Scored, scored, words_only


class Segmentation(StrEnum):
    """What decides which text is translated at once."""

    PAUSES = "pauses"
    """Every chunk that a pause ends."""
    GATE = "gate"
    """The sentence gate."""
    REFERENCE = "reference"
    """The sentences of the reference: chunks joined without error."""


class Text(StrEnum):
    """Whose text it is."""

    HEARD = "heard"
    """The recogniser's."""
    SAID = "said"
    """What was really said, written as that recogniser writes: no errors, no punctuation."""
    PUNCTUATED = "punctuated"
    """What was really said, with the punctuation of a recogniser that never errs in it either."""


class TranslatedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A text that was translated at once."""

    source: str
    translation: str
    complete: bool
    """It begins where a sentence begins and ends where one ends."""
    one_sentence: bool
    """It is exactly one sentence."""


class TranslatedParagraph(msgspec.Struct, frozen=True, kw_only=True):
    """A paragraph in one condition."""

    number: int
    english: str
    reference: str
    sentences: int
    """Of the reference."""
    units: tuple[TranslatedUnit, ...]

    @property
    def translation(self) -> str:
        """All units, joined."""
        return " ".join(unit.translation for unit in self.units if unit.translation)


@dataclass(frozen=True, slots=True)
class Condition:
    """All paragraphs, one text, one segmentation."""

    text: Text
    segmentation: Segmentation
    paragraphs: tuple[TranslatedParagraph, ...]


class ConditionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Its figures. Scores 0..100."""

    text: Text
    segmentation: Segmentation
    units: int
    complete_share: float
    """Units that begin and end where sentences do."""
    one_sentence_share: float
    """Units that are exactly one sentence."""
    sentence_f1: float
    """Of finding the sentences: harmonic mean of that share and of the share of sentences that are a unit. Joining
    everything makes units complete, but finds no sentence."""
    bleu: float
    """Of the words alone: lower case, no punctuation."""
    chrf: float
    """chrF++ of the same."""
    bleu_written: float
    """Of the text as it is written: what has no punctuation loses for that."""
    chrf_written: float
    comet: float | None = None
    """None: not computed."""


class SegmentationGain(msgspec.Struct, frozen=True, kw_only=True):
    """A segmentation against pauses alone, by one metric, on one text."""

    text: Text
    segmentation: Segmentation
    metric: str
    gain: Gain


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything."""

    paragraphs: int
    engines: dict[str, str]
    """Task -> model and version."""
    word_error_rate: float | None
    """Of the recogniser; None: nothing was recognised."""
    conditions: tuple[ConditionFigures, ...]
    gains: tuple[SegmentationGain, ...]
    signatures: dict[str, str]
    gate_fallbacks: dict[str, int]
    """Texts that the boundary engine did not judge, by the reason."""

    def of(self, text: Text, segmentation: Segmentation) -> ConditionFigures:
        """Return one condition's figures."""
        return next(one for one in self.conditions if (one.text, one.segmentation) == (text, segmentation))

    def gain(self, text: Text, metric: str, segmentation: Segmentation = Segmentation.GATE) -> Gain:
        """Return one gain over pauses alone."""
        wanted = (text, segmentation, metric)
        return next(one.gain for one in self.gains if (one.text, one.segmentation, one.metric) == wanted)


def summed_up(
    conditions: Sequence[Condition],
    engines: dict[str, str],
    error_rate: float | None,
    fallbacks: dict[str, int],
    comet: Sequence[float] | None = None,
) -> Evaluation:
    """Score every condition and compare gate and pauses; `comet`: one score for each condition."""
    every = {(one.text, one.segmentation): _scores(one) for one in conditions}
    figures = tuple(
        _figures(one, every[one.text, one.segmentation], comet[number] if comet else None)
        for number, one in enumerate(conditions)
    )
    gains = tuple(
        _gain(text, segmentation, metric, every)
        for text in dict.fromkeys(one.text for one in conditions)
        for segmentation in (Segmentation.GATE, Segmentation.REFERENCE)
        for metric in (*METRICS, *(f"{metric}_written" for metric in METRICS))
    )
    signatures = {metric: one.signature for metric, one in next(iter(every.values())).items()}
    return Evaluation(
        paragraphs=len(conditions[0].paragraphs),
        engines=engines,
        word_error_rate=error_rate,
        conditions=figures,
        gains=gains,
        signatures=signatures,
        gate_fallbacks=fallbacks,
    )


def _scores(condition: Condition) -> dict[str, Scored]:
    translations = [one.translation for one in condition.paragraphs]
    references = [one.reference for one in condition.paragraphs]
    heard, wanted = [words_only(text) for text in translations], [words_only(text) for text in references]
    return {metric: scored(metric, heard, wanted) for metric in METRICS} | {
        f"{metric}_written": scored(metric, translations, references) for metric in METRICS
    }


def _gain(
    text: Text,
    segmentation: Segmentation,
    metric: str,
    every: dict[tuple[Text, Segmentation], dict[str, Scored]],
) -> SegmentationGain:
    better, pauses = every[text, segmentation][metric], every[text, Segmentation.PAUSES][metric]
    gain = paired_bootstrap(better.statistics, pauses.statistics, better.score_of)
    return SegmentationGain(text=text, segmentation=segmentation, metric=metric, gain=gain)


def _figures(condition: Condition, scores: dict[str, Scored], comet: float | None) -> ConditionFigures:
    units = [unit for paragraph in condition.paragraphs for unit in paragraph.units]
    found = sum(unit.one_sentence for unit in units)
    return ConditionFigures(
        text=condition.text,
        segmentation=condition.segmentation,
        units=len(units),
        complete_share=sum(unit.complete for unit in units) / max(1, len(units)),
        one_sentence_share=found / max(1, len(units)),
        sentence_f1=2 * found / (len(units) + sum(paragraph.sentences for paragraph in condition.paragraphs)),
        **{metric: one.score for metric, one in scores.items()},
        comet=comet,
    )
