"""Chooses the pipeline of a direction and feeds it clean text."""

from collections.abc import Sequence
from pathlib import Path

from apertium_mode import pipeline_commands
from apertium_pipeline import Pipeline
from apertium_text import clean_source, tidy_translation
from engine_kit.refusals import InvalidRequest, require_one_of

_APERTIUM_CODES = {"en": "eng", "es": "spa"}
"""ISO 639-1 to the ISO 639-3 codes of the mode files' names."""


class Translator:
    """Translates in the directions named, with one pipeline for each."""

    def __init__(self, pairs: Sequence[str], modes_folder: Path, max_text_chars: int, answer_within_s: float) -> None:
        """Read the mode files of `pairs` ("en-es"); FileNotFoundError when one is not installed."""
        self._max_text_chars = max_text_chars
        self._pipelines = {
            pair: Pipeline(pipeline_commands(_mode_file(modes_folder, pair).read_text("utf-8")), answer_within_s)
            for pair in pairs
        }

    def translate(self, text: str, source: str, target: str) -> str:
        """Translate; InvalidRequest for a direction there is not or a text too long. Nothing but space gives ""."""
        pair = f"{source}-{target}"
        require_one_of(pair, "language pair", list(self._pipelines))
        if len(text) > self._max_text_chars:
            raise InvalidRequest(f"TEXT has {len(text)} characters, at most {self._max_text_chars} are taken")
        cleaned = clean_source(text)
        if not cleaned:
            return ""
        return tidy_translation(cleaned, self._pipelines[pair].translate(cleaned))

    def stop(self) -> None:
        """End every pipeline."""
        for pipeline in self._pipelines.values():
            pipeline.stop()


def _mode_file(folder: Path, pair: str) -> Path:
    return folder / ("-".join(_APERTIUM_CODES[language] for language in pair.split("-")) + ".mode")
