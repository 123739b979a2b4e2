"""When a transcription is tried again, and when it is no speech at all. Pure.

The rules and numbers of openai-whisper's transcribe.py (`decode_with_fallback`; paper, section 4.5): a text that
repeats itself, or of which the network is not sure, is made again at the next temperature; what the network takes for
silence, and is not sure of, is no text. One rule is ours: more than anybody could say in the time is made again too,
and is no text if it stays so. A decoder that misses its end would otherwise have minutes of it translated and spoken.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """openai-whisper's defaults."""

    compression_ratio: float = 2.4
    """A text that zlib makes smaller by more than this repeats itself."""
    logprob: float = -1.0
    """Mean log-probability of a token below which the network is not sure."""
    no_speech: float = 0.6
    """Probability of <|nospeech|> above which a text that the network is not sure of is no speech."""
    chars_per_s: float = 50.0
    """More characters than this a second, and some to begin with, cannot be said: fast speakers reach 25."""


_FREE_CHARS = 30
"""Said in no time, so that the first word of a short recording counts as possible."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One window, decoded at one temperature."""

    tokens: tuple[int, ...]
    """Sampled ids without the end token."""
    text: str
    mean_logprob: float
    """Sum of the tokens' natural log-probabilities, the end token's included, / (tokens + 1)."""
    no_speech_probability: float
    temperature: float
    length_s: float
    """Of the window's sound."""

    @property
    def compression_ratio(self) -> float:
        """Bytes of the text / bytes of it compressed; 0 for no text (compressed it is longer)."""
        raw = self.text.encode()
        return len(raw) / len(zlib.compress(raw))


def is_unspeakable(attempt: Attempt, thresholds: Thresholds) -> bool:
    """Tell whether the text is longer than anything that can be said in the window."""
    return len(attempt.text) > _FREE_CHARS + thresholds.chars_per_s * attempt.length_s


def is_silence(attempt: Attempt, thresholds: Thresholds) -> bool:
    """Tell whether the network took the window for silence, and is not sure enough of its text to be overruled."""
    unsure = attempt.mean_logprob <= thresholds.logprob
    return attempt.no_speech_probability > thresholds.no_speech and unsure


def needs_another(attempt: Attempt, thresholds: Thresholds) -> bool:
    """Tell whether the window should be decoded again at a higher temperature."""
    unsure = attempt.mean_logprob < thresholds.logprob
    if attempt.no_speech_probability > thresholds.no_speech and unsure:
        return False  # silence: another temperature would only invent another text
    repetitive = attempt.compression_ratio > thresholds.compression_ratio
    return unsure or repetitive or is_unspeakable(attempt, thresholds)


def best_of(sum_logprobs: Sequence[float], lengths: Sequence[int]) -> int:
    """Return which of several samples is kept: the one with the highest log-probability a token (end token excluded).

    openai-whisper's MaximumLikelihoodRanker without a length penalty; of equals the first.
    """
    scores = [total / max(1, length) for total, length in zip(sum_logprobs, lengths, strict=True)]
    return max(range(len(scores)), key=scores.__getitem__)
