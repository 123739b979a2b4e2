"""The front-end `marian`: text in, translated text out. Tensors: the config.pbtxt that the exporter writes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from engine_kit.refusals import InvalidRequest, require_one_of

from generate.fields import BadFolder
from generate.folder import VersionFolder
from generate.frontend import Emit, Job, RequestTensors
from generate.generation import DecodingOptions, GenerationRequest, GenerationResult, Source

from .casing import as_in_source, is_shouted, quietened
from .digits import keep_numbers
from .pieces import Piece, pieces_of
from .settings import MarianSettings, read_settings
from .vocabulary import Vocabulary, VocabularyMismatch

TEXT, TARGET_LANGUAGE, LOST_NUMBERS = "TEXT", "TARGET_LANGUAGE", "LOST_NUMBERS"
"""Inputs and outputs."""
_COUNTS = {"BEAMS": "beams", "MIN_NEW_TOKENS": "min_new_tokens", "MAX_NEW_TOKENS": "max_new_tokens"}
"""Optional inputs, INT32 [1], that stand in for what generation.json says."""
_MOST_BEAMS = 16
_LEAST_NEW_TOKENS, _NEW_TOKENS_PER_SOURCE_TOKEN = 32, 4
"""A model that has lost its way repeats itself until the last position; no translation is so much longer than its
source."""


@dataclass(frozen=True)
class MarianFrontEnd:
    """Fills the Protocol `FrontEnd`."""

    vocabulary: Vocabulary
    settings: MarianSettings
    defaults: DecodingOptions
    start_token: int
    max_positions: int

    def job(self, inputs: RequestTensors, emit: Emit) -> Job:
        """Translate TEXT; nothing is emitted before the whole is there.

        InvalidRequest: a text too long or with NUL, a language that the model does not have, odd counts.
        """
        text, language = inputs.text(TEXT), self._language(inputs)
        options, limited = self._options(inputs)
        self._check_length(text)
        cleaned = clean(text)
        pieces = pieces_of(cleaned, lambda part: self._fits(part, language))
        asked = [self._request(piece, language, options, limited) for piece in pieces if piece.text]
        results = (yield asked) if asked else []
        return self._answer(pieces, results, language)

    def _language(self, inputs: RequestTensors) -> str:
        """A model with one target needs no TARGET_LANGUAGE."""
        targets = self.settings.targets
        asked = inputs.text(TARGET_LANGUAGE) if TARGET_LANGUAGE in inputs else ""
        if not asked and len(targets) == 1:
            return next(iter(targets))
        require_one_of(asked, TARGET_LANGUAGE, list(targets))
        return asked

    def _options(self, inputs: RequestTensors) -> tuple[DecodingOptions, bool]:
        """Return the request's options, and whether it set a length of its own."""
        given = {field: self._count(inputs, name) for name, field in _COUNTS.items() if name in inputs}
        options = replace(self.defaults, **given)
        most = self.max_positions - 1
        if options.max_new_tokens > most:
            if "max_new_tokens" in given:
                raise InvalidRequest(f"MAX_NEW_TOKENS is {options.max_new_tokens}, the model has {most}")
            options = replace(options, max_new_tokens=most)
        if options.min_new_tokens > options.max_new_tokens:
            raise InvalidRequest(
                f"MIN_NEW_TOKENS is {options.min_new_tokens}, above the greatest count {options.max_new_tokens}"
            )
        return options, bool(given.keys() & {"min_new_tokens", "max_new_tokens"})

    @staticmethod
    def _count(inputs: RequestTensors, name: str) -> int:
        number = inputs.number(name, 0)
        least, most = (0 if name == "MIN_NEW_TOKENS" else 1), (_MOST_BEAMS if name == "BEAMS" else None)
        if number < least or (most is not None and number > most):
            raise InvalidRequest(f"{name} is {number:g}, it must be from {least}" + (f" to {most}" if most else ""))
        return int(number)

    def _check_length(self, text: str) -> None:
        most = self.settings.max_text_chars
        if len(text) > most:
            raise InvalidRequest(f"{TEXT} has {len(text)} characters, at most {most} are taken")

    def _fits(self, text: str, language: str) -> bool:
        return len(self._tokens(text, language)) <= self.settings.max_source_tokens

    def _tokens(self, text: str, language: str) -> list[int]:
        ordinary = quietened(text) if is_shouted(text) else text
        return self.vocabulary.encode(ordinary, self.settings.targets[language])

    def _request(self, piece: Piece, language: str, options: DecodingOptions, limited: bool) -> GenerationRequest:
        tokens = self._tokens(piece.text, language)
        if not limited:
            ample = _LEAST_NEW_TOKENS + _NEW_TOKENS_PER_SOURCE_TOKEN * len(tokens)
            options = replace(options, max_new_tokens=min(options.max_new_tokens, ample))
        source = Source({"input_ids": np.array(tokens, np.int64)})
        return GenerationRequest(options, (self.start_token,), source)

    def _answer(self, pieces: Sequence[Piece], results: Sequence[GenerationResult], language: str) -> Mapping[str, str]:
        translated, lost = iter(results), []
        parts: list[str] = []
        for piece in pieces:
            text = ""
            if piece.text:
                # A model that says nothing to a sentence has not understood it: better the sentence than a gap.
                said = self.vocabulary.decode(next(translated).best.text_tokens) or piece.text
                text, missing = keep_numbers(piece.text, as_in_source(piece.text, said, language))
                lost += missing
            parts += [piece.before, text, piece.after]
        return {TEXT: "".join(parts), LOST_NUMBERS: " ".join(lost)}


def clean(text: str) -> str:
    """Normalise to NFC and make spaces of control characters; line breaks stay."""
    printable = (" " if unicodedata.category(char) == "Cc" and char != "\n" else char for char in text)
    return unicodedata.normalize("NFC", "".join(printable))


def open_front_end(folder: VersionFolder, parameters: Mapping[str, str]) -> MarianFrontEnd:
    """Make the front-end of a version; BadFolder when its files are not those of one Opus-MT model."""
    common, settings = folder.settings, read_settings(folder, parameters)
    if common.start is None:
        raise BadFolder(folder.path, "generation.json: start is missing; it must be the decoder's first token")
    try:
        vocabulary = Vocabulary(folder.path, common.vocab_size)
    except VocabularyMismatch as error:
        raise BadFolder(folder.path, str(error)) from error
    unknown = [token for token in settings.targets.values() if token and token not in vocabulary.language_tokens]
    if unknown:
        raise BadFolder(folder.path, f"generation.json: marian.targets: vocab.json has no token {unknown[0]}")
    return MarianFrontEnd(vocabulary, settings, common.defaults, common.start, common.max_positions)
