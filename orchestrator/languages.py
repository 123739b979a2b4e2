"""What a set of engines can dub: pure rules over what the engines state in their configs."""

from collections.abc import Mapping
from dataclasses import dataclass

from client.contracts import LanguagePair, Task
from client.model_config import ModelConfig
from orchestrator.errors import LanguagePairUnsupported
from orchestrator.settings import EngineSettings

DETECTS_LANGUAGE = "detects_language"
"""Parameter of an STT engine's config: "true" when an empty LANGUAGE asks it to detect."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The directions that a set of engines can dub."""

    pairs: tuple[LanguagePair, ...]
    detects_source: bool

    def check(self, source: str, target: str) -> None:
        """Raise LanguagePairUnsupported unless this direction is offered; a source "" stands for any."""
        if not any(pair.target == target and source in ("", pair.source) for pair in self.pairs):
            raise LanguagePairUnsupported(source, target, self.pairs)

    def sources(self, target: str) -> tuple[str, ...]:
        """Return the languages from which `target` is dubbed."""
        return tuple(dict.fromkeys(pair.source for pair in self.pairs if pair.target == target))

    def source(self, asked: str, default: str) -> str:
        """Return the source language to use when the request names `asked`: "" only where it can be detected."""
        return asked or ("" if self.detects_source else default)


def chosen_engines(settings: EngineSettings, wanted: Mapping[str, str]) -> dict[Task, str]:
    """Return the model of every task that has one: the request's, else the settings'."""
    chosen = {task: wanted.get(task.value) or getattr(settings, task.value) for task in Task}
    return {task: model for task, model in chosen.items() if model}


def required_engines(settings: EngineSettings, wanted: Mapping[str, str]) -> dict[Task, str]:
    """Return the chosen engines without which nothing is dubbed.

    The boundary engine is one of them only where the request names it: without it punctuation and pauses decide.
    """
    chosen = chosen_engines(settings, wanted)
    return {task: model for task, model in chosen.items() if task is not Task.BOUNDARY or task.value in wanted}


def offer_of(stt: ModelConfig | None, mt: ModelConfig, tts: ModelConfig) -> Offer:
    """Return what these engines can do together; ContractViolation when one does not state its languages.

    `stt`: None where a transcript is given, so that nobody needs to hear anything.
    """
    spoken = tts.languages()
    pairs = tuple(pair for pair in mt.language_pairs() if pair.target in spoken)
    if stt is None:
        return Offer(pairs, detects_source=False)
    heard = stt.languages()
    return Offer(
        pairs=tuple(pair for pair in pairs if pair.source in heard),
        detects_source=stt.parameters.get(DETECTS_LANGUAGE, "").lower() == "true",
    )
