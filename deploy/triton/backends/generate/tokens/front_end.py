"""One generation a request, told by tensors: docs/GENERATE.md, "The family tokens"."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from engine_kit.refusals import InvalidRequest, require_finite
from numpy.typing import NDArray

from generate.folder import GenerationSettings, VersionFolder
from generate.frontend import Emit, Job, Outputs, RequestTensors
from generate.generation import DecodingOptions, GenerationRequest, GenerationResult, Source, Token

_NUMBERS: Mapping[str, type] = {
    **dict.fromkeys(("max_new_tokens", "min_new_tokens", "beams", "hypotheses", "top_k", "seed"), int),
    **dict.fromkeys(("length_penalty", "temperature", "top_p", "repetition_penalty"), float),
}
_TOKENS = ("suppress", "begin_suppress", "seen", "eos")
_SWITCHES = ("logprobs", "hidden", "forced_eos")


@dataclass(frozen=True)
class Wish:
    """What OPTIONS says."""

    options: DecodingOptions
    prompt_logits: tuple[int, ...] = ()
    stream: bool = False


class TokensFrontEnd:
    """See FrontEnd."""

    def __init__(self, settings: GenerationSettings) -> None:
        self._defaults, self._start, self._vocab_size = settings.defaults, settings.start, settings.vocab_size

    def job(self, inputs: RequestTensors, emit: Emit) -> Job:
        """See FrontEnd."""
        wish = read_options(inputs.text("OPTIONS") if "OPTIONS" in inputs else "", self._defaults)
        request = GenerationRequest(
            wish.options,
            prompt=self._prompt(inputs),
            source=self._source(inputs),
            prefix=_prefix(inputs),
            prompt_logits=wish.prompt_logits,
            on_token=(lambda token: emit(_streamed(token))) if wish.stream else None,
        )
        [result] = yield [request]
        return {} if wish.stream else answer(result)

    def _prompt(self, inputs: RequestTensors) -> tuple[int, ...]:
        if "TOKENS" in inputs and inputs.array("TOKENS").size:
            return tuple(inputs.array("TOKENS").reshape(-1).tolist())
        if self._start is None and "PREFIX" not in inputs:
            raise InvalidRequest("TOKENS is empty, and the model has no start token")
        return () if self._start is None else (self._start,)

    def _source(self, inputs: RequestTensors) -> Source | None:
        if "SOURCE" in inputs:
            tokens = inputs.array("SOURCE").reshape(-1)
            if tokens.size and not 0 <= tokens.min() <= tokens.max() < self._vocab_size:
                raise InvalidRequest(
                    f"SOURCE holds tokens from {tokens.min()} to {tokens.max()}, not of the vocabulary"
                )
            return Source({"input_ids": tokens})
        if "MEL" in inputs:
            require_finite(inputs.array("MEL"), "MEL")
            return Source({"mel": inputs.array("MEL")})
        return None


def open_front_end(folder: VersionFolder, parameters: Mapping[str, str]) -> TokensFrontEnd:
    """Make the front-end; nothing beside the common settings is needed."""
    return TokensFrontEnd(folder.settings)


def read_options(text: str, defaults: DecodingOptions) -> Wish:
    """Read OPTIONS: a JSON object, fields of DecodingOptions, `prompt_logits`, `stream`. InvalidRequest if odd."""
    try:
        given = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"OPTIONS is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise InvalidRequest("OPTIONS must be a JSON object")
    known = {field.name for field in fields(DecodingOptions)} - {"rules"} | {"prompt_logits", "stream"}
    if odd := sorted(set(given) - known):
        raise InvalidRequest(f"OPTIONS has unknown fields: {', '.join(odd)}")
    read = {name: _checked(name, value) for name, value in given.items()}
    prompt_logits, stream = read.pop("prompt_logits", ()), read.pop("stream", False)
    options = replace(defaults, logprobs=True)
    return Wish(replace(options, **read), prompt_logits, stream)


def answer(result: GenerationResult) -> Outputs:
    """Make the tensors of a whole answer."""
    best = result.best
    found: dict[str, NDArray[Any]] = {
        "TOKENS": np.array(best.tokens, np.int64),
        "LOGPROBS": np.zeros(0, np.float32) if best.logprobs is None else best.logprobs,
        "SCORE": np.array([best.score], np.float32),
        "LOGITS": result.prompt_logits,
    }
    if best.hidden is not None:
        found["HIDDEN"] = best.hidden
    return found


def _streamed(token: Token) -> Outputs:
    return {"TOKENS": np.array([token.token], np.int64), "LOGPROBS": np.array([token.logprob], np.float32)}


def _prefix(inputs: RequestTensors) -> NDArray[np.float32] | None:
    if "PREFIX" not in inputs:
        return None
    require_finite(inputs.array("PREFIX"), "PREFIX")
    return np.array(inputs.array("PREFIX"), np.float32)


def _checked(name: str, value: Any) -> Any:  # noqa: ANN401 (JSON in, an option's own type out)
    """Return an option with the type it must have."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if name in _NUMBERS and number and (_NUMBERS[name] is float or isinstance(value, int)):
        return _NUMBERS[name](value)
    if name in (*_SWITCHES, "stream") and isinstance(value, bool):
        return value
    if name == "early_stopping" and (value is None or isinstance(value, bool)):
        return value
    if name in (*_TOKENS, "prompt_logits") and isinstance(value, list) and all(type(item) is int for item in value):
        return tuple(value)
    if name == "forced" and isinstance(value, dict):
        items = value.items()
        if all(key.isdecimal() and type(item) is int for key, item in items):
            return {int(key): item for key, item in items}
    raise InvalidRequest(f"OPTIONS: {name} cannot be {value!r:.80}")
