"""A piece of text as the model was taught to read it: the steps of each language in the original's order.

Source of the order: coqui-tts 0.28, TTS/tts/layers/xtts/tokenizer.py (`preprocess_text`, `multilingual_cleaners`) and
TTS/tts/models/xtts.py (text is stripped and made small first). What is cleaned away before: see cleaning.
"""

from __future__ import annotations

from collections.abc import Collection

from ko_speech_tools import hangul_romanize

from . import chinese
from .cleaning import clean
from .expansions import expand_abbreviations, expand_signs
from .japanese import Romaji
from .numbers import expand_numbers


class Normaliser:
    """Holds the Japanese dictionary where it is needed; RuntimeError when it is not installed."""

    def __init__(self, languages: Collection[str]) -> None:
        self._romaji = Romaji() if "ja" in languages else None

    def normalise(self, text: str, language: str) -> str:
        """Return what is tokenised, but for blanks: one line, words for numbers, Latin letters for zh, ja and ko."""
        text = _in_small_letters(clean(text), language)
        if language == "ja":
            if self._romaji is None:
                raise LookupError("made without Japanese")
            return self._romaji.write(text).lower()
        text = text.replace('"', "")
        text = chinese.expand_numbers(text) if language == "zh" else expand_numbers(text, language)
        text = expand_signs(expand_abbreviations(text, language), language)
        text = " ".join(text.split())
        if language == "zh":
            return chinese.in_pinyin(text)
        return hangul_romanize(text) if language == "ko" else text


def _in_small_letters(text: str, language: str) -> str:
    """Turkish İ is i without a second dot, which lower() alone would leave beside it; I is i too, as in training."""
    return (text.replace("İ", "i") if language == "tr" else text).lower()
