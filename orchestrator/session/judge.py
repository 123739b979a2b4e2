"""Is a text a whole sentence? The boundary engine says so; where it cannot be asked, punctuation and pauses do."""

import time
from collections import Counter

import structlog

from client.contracts import BoundaryEngine
from client.errors import EngineError
from orchestrator.segmentation.joining import is_punctuated
from orchestrator.segmentation.punctuation import by_punctuation
from orchestrator.segmentation.sentences import Gate, Opinion
from orchestrator.settings import GateSettings

log = structlog.get_logger()

NO_ENGINE = "no-engine"
"""No boundary engine is configured."""
LANGUAGE_NOT_TRAINED = "language-not-trained"
"""The boundary engine does not know the language, or the language is not known."""


def as_given(_text: str, _language: str) -> Opinion:
    """Fill `Judge` where a transcript was given: what it says is a sentence is one."""
    return Opinion(True, Gate.TRANSCRIPT)


class TextJudge:
    """Fills `Judge` (segmentation/sentences.py) for one session. Called by one thread; blocks while it is answered."""

    def __init__(self, engine: BoundaryEngine | None, settings: GateSettings, traceparent: str = "") -> None:
        """`engine`: None where none is configured."""
        self._engine = engine
        self._settings = settings
        self._traceparent = traceparent
        self._punctuates = False
        """The recogniser has written a punctuation mark: where it writes none, none was heard. Texts are judged in the
        order of speech, so this does not depend on who was faster."""
        self.score_ms: list[float] = []
        """Duration of every answered call."""
        self.fallbacks: Counter[str] = Counter()
        """Texts that the engine did not judge, by the reason: NO_ENGINE, LANGUAGE_NOT_TRAINED or an error's code."""

    def prepare(self) -> None:
        """Let the engine read its own configuration, so that the first text need not wait for it."""
        if self._engine is None or not self._settings.enabled:
            return
        try:
            self._engine.languages()
        except EngineError as error:
            log.warning("the boundary engine is not there yet", code=error.code, reason=str(error))

    def __call__(self, text: str, language: str) -> Opinion:
        """Judge what was heard so far."""
        if not self._settings.enabled:
            return Opinion(True, Gate.OFF)
        self._punctuates = self._punctuates or is_punctuated(text)
        if self._engine is None:
            return self._without_engine(text, NO_ENGINE)
        try:
            if language not in self._engine.languages():
                return self._without_engine(text, LANGUAGE_NOT_TRAINED)
            return self._scored(self._engine, text, language)
        except EngineError as error:
            log.warning("punctuation decides instead of the boundary engine", code=error.code, reason=str(error))
            return self._without_engine(text, error.code)

    def _scored(self, engine: BoundaryEngine, text: str, language: str) -> Opinion:
        begin = time.perf_counter()
        score = engine.complete(text, language, traceparent=self._traceparent)
        self.score_ms.append(1000 * (time.perf_counter() - begin))
        whole = score >= self._settings.threshold
        pause_s = self._settings.max_pause_s if self._punctuates else pause_to_end_s(score, self._settings)
        return Opinion(whole, Gate.MODEL, pause_ms=0 if whole else round(1000 * pause_s), score=score)

    def _without_engine(self, text: str, reason: str) -> Opinion:
        self.fallbacks[reason] += 1
        return by_punctuation(text, self._settings, reason, punctuates=self._punctuates)


def pause_to_end_s(score: float, settings: GateSettings) -> float:
    """Return how long a silence ends a text of a recogniser that does not punctuate: the longer the lower its score.

    Words alone often do not tell ("tomorrow we will fly"), and the pause must. With punctuation the score does tell.
    """
    doubt = 1.0 - min(1.0, score / settings.likely_from) if settings.likely_from > 0 else 0.0
    return settings.sentence_pause_s + doubt * (settings.max_pause_s - settings.sentence_pause_s)
