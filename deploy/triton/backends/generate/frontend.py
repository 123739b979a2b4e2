"""What a family of models adds to the engine: a front-end makes generations of a request, and tensors of results.

A request becomes a `Job`: a Python generator that reads top to bottom. It *yields* the generations it wants next (one
or several: they decode together, and together with those of other requests), gets their results in the same order as
the value of the yield expression, may yield again, and *returns* the response's tensors:

    def job(self, inputs: RequestTensors, emit: Emit) -> Job:
        source = Source({"mel": log_mel(inputs.array("AUDIO"))})
        [detected] = yield [GenerationRequest(ONE_LOOK, prompt=(SOT,), source=source, prompt_logits=(0,))]
        language = most_probable(detected.prompt_logits[0])
        [result] = yield [GenerationRequest(GREEDY, prompt=(SOT, language, TRANSCRIBE), source=source)]
        return {"TEXT": self._tokenizer.decode(result.best.text_tokens)}

Errors: raise engine_kit.refusals.InvalidRequest for a request that can never be served (INVALID_ARG, its message begins
with the input's name); anything else raised is a fault (INTERNAL). Both concern this request alone. A generation that
fails is raised at the yield. A request that its caller has cancelled is closed at the yield (GeneratorExit): `finally`
runs, nothing more is asked of it.

All front-end code of one instance runs on the engine's one thread: no locks, but no long waits either.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, TypeAlias

import numpy as np
from engine_kit.refusals import InvalidRequest
from engine_kit.texts import decoded
from numpy.typing import NDArray

from .fields import BadFolder
from .folder import VersionFolder
from .generation import GenerationRequest, GenerationResult

FAMILIES = ("whisper", "marian", "xtts", "tokens")
"""Each is a sub-package here that has `open_front_end(folder, parameters) -> FrontEnd`."""

Outputs: TypeAlias = "Mapping[str, NDArray[Any] | str]"
"""Response tensors by name; str becomes STRING [1]."""
Emit: TypeAlias = "Callable[[Outputs], None]"
"""Sends a partial response; only a model with a decoupled transaction policy may call it (else it raises)."""
Job: TypeAlias = "Generator[Sequence[GenerationRequest], list[GenerationResult], Outputs]"


class RequestTensors:
    """The inputs of one request, checked by Triton against config.pbtxt: dtypes and ranks fit."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = arrays

    def __contains__(self, name: str) -> bool:
        """Tell whether the request has the input (`optional: true` in config.pbtxt)."""
        return name in self._arrays

    def array(self, name: str) -> NDArray[Any]:
        """Return an input as it came, batch axis included if the model has one. Missing: InvalidRequest."""
        if name not in self._arrays:
            raise InvalidRequest(f"{name} is missing")
        return self._arrays[name]

    def text(self, name: str) -> str:
        """Return the only element of a STRING input; not exactly one, or not UTF-8: InvalidRequest."""
        array = self.array(name)
        if array.size != 1:
            raise InvalidRequest(f"{name} must hold one string, it holds {array.size}")
        return decoded(array.reshape(-1)[0], name)

    def number(self, name: str, default: float) -> float:
        """Return the only element of a numeric input as a float, or `default` if the request has none."""
        if name not in self._arrays:
            return default
        array = self._arrays[name]
        if array.size != 1 or not np.isfinite(array).all():
            raise InvalidRequest(f"{name} must hold one finite number, it holds {array.reshape(-1)[:4].tolist()}")
        return float(array.reshape(-1)[0])


class FrontEnd(Protocol):
    """One family's front-end for one version of one model; made when the version loads."""

    def job(self, inputs: RequestTensors, emit: Emit) -> Job:
        """Start to serve one request. The generator's body, checks included, runs when the engine first asks it."""


def open_front_end(folder: VersionFolder, parameters: Mapping[str, str]) -> FrontEnd:
    """Make the front-end that the version's `family` names; `parameters`: those of config.pbtxt.

    BadFolder when the family is unknown or its files do not fit; that fails the load with its message.
    """
    family = folder.settings.family
    if family not in FAMILIES:
        raise BadFolder(folder.path, f"family {family!r} is none of: {' '.join(FAMILIES)}")
    module = import_module(f".{family}", __package__)
    front_end: FrontEnd = module.open_front_end(folder, parameters)
    return front_end
