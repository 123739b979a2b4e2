"""What the loaded engines offer: which languages a clip may come in and go out, and whether they are there at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from client.contracts import EngineStatus, LanguagePair, Task
from client.errors import EngineNotLoaded
from client.model_config import ModelConfig
from orchestrator.errors import LanguagePairUnsupported
from orchestrator.rest.context import TritonAdmin
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

    def source(self, asked: str, default: str) -> str:
        """Return the source language to use when the request names `asked`: "" only where it can be detected."""
        return asked or ("" if self.detects_source else default)


def chosen_engines(settings: EngineSettings, wanted: Mapping[str, str]) -> dict[Task, str]:
    """Return the model of every task: the request's, else the settings'."""
    return {task: wanted.get(task.value) or getattr(settings, task.value) for task in Task}


async def read_offer(triton: TritonAdmin, engines: Mapping[Task, str]) -> Offer:
    """Ask Triton what these engines can do.

    Raises:
        EngineNotLoaded: one of them is not loaded; it is named.
        ContractViolation: one of them does not state its languages.
        EngineError: Triton did not answer.
    """
    for reason in missing_engines(await triton.statuses(), engines.values()):
        raise reason
    stt, mt, tts = [await _config(triton, engines[task]) for task in (Task.STT, Task.MT, Task.TTS)]
    heard, spoken = stt.languages(), tts.languages()
    return Offer(
        pairs=tuple(pair for pair in mt.language_pairs() if pair.source in heard and pair.target in spoken),
        detects_source=stt.parameters.get(DETECTS_LANGUAGE, "").lower() == "true",
    )


async def _config(triton: TritonAdmin, model: str) -> ModelConfig:
    return ModelConfig(model=model, max_batch_size=0, parameters=await triton.config_parameters(model))


def missing_engines(statuses: Iterable[EngineStatus], names: Iterable[str]) -> list[EngineNotLoaded]:
    """Return one error for each of `names` that no ready version stands for, with Triton's reason."""
    statuses = list(statuses)
    ready = {status.name for status in statuses if status.ready}
    reasons = {status.name: status.reason for status in statuses if not status.ready}
    missing = (name for name in dict.fromkeys(names) if name not in ready)
    return [EngineNotLoaded(name, reasons.get(name) or "it is not loaded") for name in missing]
