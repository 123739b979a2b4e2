"""Languages that a model tells in an answer: where they depend on the version that serves, no config can state them.

A speech-to-text model whose config names such an output (parameter `languages_output`) is asked once a version: one
silent sample, LANGUAGE "". The output's text has the form of the parameter `languages`: "en es".
"""

import dataclasses
import threading

import numpy as np
from tritonclient.grpc import InferInput, InferResult

from client.model_config import ModelConfig
from client.tensors import Answer, item, text_array, unary_inputs

LANGUAGES_OUTPUT = "languages_output"
_LANGUAGES = "languages"


def must_be_asked(config: ModelConfig) -> bool:
    """Tell whether the config leaves the languages to an output."""
    return LANGUAGES_OUTPUT in config.parameters and _LANGUAGES not in config.parameters


def question(config: ModelConfig) -> list[InferInput]:
    """Make the inputs of the request that asks."""
    batched = config.max_batch_size > 0
    silence = np.zeros(1, np.float32)
    return unary_inputs({"AUDIO": item(silence, batched=batched), "LANGUAGE": text_array("", batched=batched)})


def answered(config: ModelConfig, result: InferResult) -> str:
    """Read the answer; ContractViolation when it has no such output."""
    answer = Answer(config.model, result, batched=config.max_batch_size > 0)
    return answer.text(config.parameters[LANGUAGES_OUTPUT])


def completed(config: ModelConfig, languages: str) -> ModelConfig:
    """Return the config as if it stated the languages itself."""
    return dataclasses.replace(config, parameters={**config.parameters, _LANGUAGES: languages})


class AskedLanguages:
    """Remembers what models answered, each for the versions that served then. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[str, ...], str]] = {}

    def recall(self, model: str, versions: tuple[str, ...]) -> str | None:
        """Return what the model answered while these versions served; None when it was not asked since."""
        with self._lock:
            asked_of, languages = self._known.get(model, ((), ""))
            return languages if asked_of == versions and languages else None

    def learn(self, model: str, versions: tuple[str, ...], languages: str) -> None:
        """Remember an answer."""
        with self._lock:
            self._known[model] = (versions, languages)
