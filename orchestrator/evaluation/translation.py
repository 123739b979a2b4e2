"""Does the sentence gate help the translation? The same speech, translated chunk by chunk and sentence by sentence."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from client.contracts import BoundaryEngine, MtEngine, SttEngine, Task, Transcription
from orchestrator.evaluation import flite
from orchestrator.evaluation.cache import AnswerCache
from orchestrator.evaluation.errors import VoiceMissing
from orchestrator.evaluation.paragraphs import Paragraph
from orchestrator.evaluation.results import Condition, Segmentation, Text, TranslatedParagraph, TranslatedUnit
from orchestrator.evaluation.scores import word_error_rate
from orchestrator.evaluation.speech import SpokenParagraph, plan_pauses, speak_paragraph
from orchestrator.evaluation.units import (
    HeardChunk,
    Unit,
    as_recognised,
    by_gate,
    by_pauses,
    by_reference,
    is_complete,
    is_one_sentence,
    with_true_texts,
)
from orchestrator.segmentation.vad import Segmenter
from orchestrator.session.judge import TextJudge
from orchestrator.settings import Settings

SOURCE, TARGET = "en", "es"
SEED = 7
"""Of the pauses."""
T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[str, int, int], None]
"""(what is done, how many of it, of how many)."""


@dataclass(frozen=True, slots=True)
class EvaluatedEngines:
    """What is asked."""

    stt: SttEngine | None
    """None: nothing is recognised, only what was really said is translated."""
    mt: MtEngine
    boundary: BoundaryEngine | None
    versions: dict[str, str]
    """Task -> model and version: another version's answers are not taken from the cache."""


@dataclass(frozen=True, slots=True)
class Translated:
    """All conditions, translated but not scored."""

    conditions: tuple[Condition, ...]
    word_error_rate: float | None
    """None: nothing was recognised."""
    fallbacks: dict[str, int]
    """Texts that the boundary engine did not judge, by the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class _Spoken:
    """A paragraph, its sound, and the chunks that pauses make of it."""

    paragraph: Paragraph
    speech: SpokenParagraph
    chunks: tuple[HeardChunk, ...]
    """Without their texts."""
    sounds: tuple[NDArray[np.float32], ...]
    """Of each chunk."""


class TranslationEvaluation:
    """Speaks, cuts, recognises, segments in every way, translates. The same inputs give the same translations."""

    def __init__(self, engines: EvaluatedEngines, settings: Settings, cache: AnswerCache, progress: Progress) -> None:
        """`settings`: the segmenter's and the gate's."""
        self._engines = engines
        self._settings = settings
        self._cache = cache
        self._progress = progress
        self._fallbacks: Counter[str] = Counter()

    def run(self, paragraphs: Sequence[Paragraph]) -> Translated:
        """Return all conditions. Raises EngineError, VoiceMissing."""
        spoken = self._each("speak", paragraphs, self._speak)
        texts: dict[Text, list[list[HeardChunk]]] = {}
        error_rate = None
        if self._engines.stt is not None:
            heard = texts[Text.HEARD] = self._each("recognise", spoken, self._recognise)
            said = [as_recognised(one.paragraph.english) for one in spoken]
            error_rate = word_error_rate([" ".join(chunk.text for chunk in chunks) for chunks in heard], said)
        texts[Text.SAID] = [with_true_texts(one.chunks, one.speech, as_recognised) for one in spoken]
        texts[Text.PUNCTUATED] = [with_true_texts(one.chunks, one.speech, str) for one in spoken]
        conditions = tuple(
            self._condition(text, segmentation, spoken, chunks)
            for text, chunks in texts.items()
            for segmentation in Segmentation
        )
        return Translated(conditions, error_rate, dict(self._fallbacks))

    def _each(self, what: str, items: Sequence[T], work: Callable[[T], R]) -> list[R]:
        done: list[R] = []
        for item in items:
            self._progress(what, len(done), len(items))
            done.append(work(item))
        self._progress(what, len(items), len(items))
        return done

    def _speak(self, paragraph: Paragraph) -> _Spoken:
        speech = speak_paragraph(plan_pauses(paragraph, SEED), self._voice)
        segmenter = Segmenter(self._settings.vad, flite.SAMPLE_RATE_HZ)
        cut = [*segmenter.push(speech.samples), *segmenter.flush()]
        chunks = tuple(HeardChunk(round(1000 * one.start_s), round(1000 * one.end_s), "", SOURCE) for one in cut)
        return _Spoken(paragraph, speech, chunks, tuple(one.samples for one in cut))

    def _voice(self, text: str) -> NDArray[np.float32]:
        try:
            return self._cache.sound(("flite", flite.VOICE, text), lambda: flite.speak(text))
        except FileNotFoundError as error:
            raise VoiceMissing("there is no program flite: `make setup` installs it") from error

    def _recognise(self, spoken: _Spoken) -> list[HeardChunk]:
        return [self._hear(chunk, sound) for chunk, sound in zip(spoken.chunks, spoken.sounds, strict=True)]

    def _hear(self, chunk: HeardChunk, sound: NDArray[np.float32]) -> HeardChunk:
        stt = self._engines.stt
        assert stt is not None
        key = (self._engines.versions[Task.STT], SOURCE, sound.astype("<f4").tobytes())
        heard = self._cache.answer(Transcription, key, lambda: stt.transcribe(sound, SOURCE))
        doubt = heard.no_speech_probability > self._settings.gate.max_no_speech_probability
        return replace(chunk, text="" if doubt else heard.text.strip())

    def _condition(
        self, text: Text, segmentation: Segmentation, spoken: Sequence[_Spoken], chunks: Sequence[list[HeardChunk]]
    ) -> Condition:
        pairs = list(zip(spoken, chunks, strict=True))
        what = f"translate {text}, {segmentation}"
        judge = TextJudge(self._engines.boundary, self._settings.gate)
        judge.prepare()

        def translated(pair: tuple[_Spoken, list[HeardChunk]]) -> TranslatedParagraph:
            return self._translated(pair[0], self._units(segmentation, *pair, judge))

        condition = Condition(text, segmentation, tuple(self._each(what, pairs, translated)))
        self._fallbacks += judge.fallbacks
        return condition

    def _units(
        self, segmentation: Segmentation, spoken: _Spoken, chunks: Sequence[HeardChunk], judge: TextJudge
    ) -> list[Unit]:
        if segmentation is Segmentation.PAUSES:
            return by_pauses(chunks)
        if segmentation is Segmentation.REFERENCE:
            return by_reference(chunks, spoken.speech)
        duration_ms = round(1000 * len(spoken.speech.samples) / flite.SAMPLE_RATE_HZ)
        return by_gate(chunks, judge, self._settings.vad.max_segment_ms, duration_ms)

    def _translated(self, spoken: _Spoken, units: Sequence[Unit]) -> TranslatedParagraph:
        return TranslatedParagraph(
            number=spoken.paragraph.number,
            english=spoken.paragraph.english,
            reference=spoken.paragraph.spanish,
            sentences=len(spoken.paragraph.sentences),
            units=tuple(
                TranslatedUnit(
                    source=unit.text,
                    translation=self._translate(unit.text),
                    complete=is_complete(unit, spoken.speech),
                    one_sentence=is_one_sentence(unit, spoken.speech),
                )
                for unit in units
            ),
        )

    def _translate(self, text: str) -> str:
        key = (self._engines.versions[Task.MT], SOURCE, TARGET, text)
        return self._cache.answer(str, key, lambda: self._engines.mt.translate(text, SOURCE, TARGET).strip())
