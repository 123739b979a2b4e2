"""The course of one recognition: detect the language, transcribe each window, try again where the text is no good.

It only says what shall be generated next and judges what came of it; the engine does the rest (../frontend.py).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generate.generation import DecodingOptions, GenerationRequest, GenerationResult, Hypothesis, Source

from .options import WhisperOptions
from .section import WhisperSection
from .text import Vocabulary
from .verdict import Attempt, best_of, needs_another

_LOOK = DecodingOptions(max_new_tokens=0)
"""Reads the prompt and generates nothing."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is decoded as a whole."""

    source: Source
    length_s: float
    """Of its sound, without the silence behind it."""


Steps = Generator[Sequence[GenerationRequest], list[GenerationResult], tuple[str, list[Attempt]]]


@dataclass(frozen=True)
class Transcriber:
    """What does not change from recording to recording."""

    section: WhisperSection
    vocabulary: Vocabulary
    options: WhisperOptions
    certain: DecodingOptions
    """Temperature 0: greedy, or as many beams as the version asks for, with its suppressed tokens and the most tokens
    that a window may have. `logprobs` is set."""

    def transcribe(self, windows: Sequence[Window], candidates: Sequence[str]) -> Steps:
        """Return the language and, for each window, the attempt that is kept.

        `windows`: at least one; `candidates`: languages of the section's, detected by the first window
        where there are several.
        """
        language = candidates[0]
        if len(candidates) > 1:
            language = yield from self._detect(windows[0].source, candidates)
        prompt = self.section.prompt(language)
        kept: dict[int, Attempt] = {}
        pending = list(range(len(windows)))
        for temperature in self.options.temperatures:
            options = self._options(temperature)
            results = yield [
                GenerationRequest(options, prompt=prompt, source=windows[index].source, prompt_logits=(0,))
                for index in pending
            ]
            for index, result in zip(pending, results, strict=True):
                kept[index] = self._attempt(result, temperature, windows[index].length_s)
            pending = [index for index in pending if needs_another(kept[index], self.options.thresholds)]
            if not pending:
                break
        return language, [kept[index] for index in range(len(windows))]

    def _detect(
        self, source: Source, candidates: Sequence[str]
    ) -> Generator[Sequence[GenerationRequest], list[GenerationResult], str]:
        request = GenerationRequest(_LOOK, prompt=(self.section.sot,), source=source, prompt_logits=(0,))
        [result] = yield [request]
        probabilities = language_probabilities(result.prompt_logits[0], self.section, candidates)
        return max(probabilities, key=probabilities.__getitem__)

    def _options(self, temperature: float) -> DecodingOptions:
        if temperature == 0:
            return self.certain
        # A seed of its own for each temperature: the same recording always gets the same text.
        seed, samples = round(1000 * temperature), self.options.best_of
        return replace(self.certain, beams=1, temperature=temperature, hypotheses=samples, seed=seed)

    def _attempt(self, result: GenerationResult, temperature: float, length_s: float) -> Attempt:
        sums = [sum_logprob(each) for each in result.hypotheses]
        chosen = best_of(sums, [len(each.text_tokens) for each in result.hypotheses])
        tokens = result.hypotheses[chosen].text_tokens
        return Attempt(
            tokens=tokens,
            text=self.vocabulary.text(tokens),
            mean_logprob=min(0.0, sums[chosen] / (len(tokens) + 1)),
            no_speech_probability=float(softmax(result.prompt_logits[0])[self.section.no_speech]),
            temperature=temperature,
            length_s=length_s,
        )


def sum_logprob(hypothesis: Hypothesis) -> float:
    """Return the log-probability of a sequence, end token included; not `score`, which a beam search has penalised."""
    assert hypothesis.logprobs is not None, "asked for with DecodingOptions.logprobs"
    return float(hypothesis.logprobs.sum(dtype=np.float64))


def language_probabilities(
    logits: NDArray[np.float32], section: WhisperSection, candidates: Sequence[str]
) -> dict[str, float]:
    """Return the distribution over the candidates' tokens alone, from the logits [vocab] after <|startoftranscript|>.

    Over all languages it is that of openai-whisper's decoding.py, `detect_language`.
    """
    shares = softmax(logits[[section.languages[code] for code in candidates]])
    return dict(zip(candidates, shares.tolist(), strict=True))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the probabilities [n] of logits [n]."""
    exponentials = np.exp(logits.astype(np.float64) - float(logits.max()))
    total: NDArray[np.float64] = exponentials / exponentials.sum()
    return total
