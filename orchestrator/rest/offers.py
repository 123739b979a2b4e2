"""What the loaded engines offer: which languages a clip may come in and go out, and whether they are there at all."""

from collections.abc import Iterable, Mapping

from client.contracts import EngineStatus, Task
from client.errors import EngineNotLoaded
from client.exported import not_loaded_reason
from client.model_config import ModelConfig
from client.pinned import pinned, split_pinned
from orchestrator.languages import Offer, offer_of
from orchestrator.rest.context import TritonAdmin


async def read_offer(triton: TritonAdmin, engines: Mapping[Task, str]) -> Offer:
    """Ask Triton what these engines can do; without one for STT, nobody needs to hear anything.

    Raises:
        EngineNotLoaded: one of them is not loaded; it is named.
        ContractViolation: one of them does not state its languages.
        EngineError: Triton did not answer.
    """
    for reason in missing_engines(await triton.statuses(), engines.values()):
        raise reason
    stt = await _config(triton, engines[Task.STT]) if Task.STT in engines else None
    return offer_of(stt, await _config(triton, engines[Task.MT]), await _config(triton, engines[Task.TTS]))


async def _config(triton: TritonAdmin, model: str) -> ModelConfig:
    return ModelConfig(model=model, max_batch_size=0, parameters=await triton.config_parameters(model))


def missing_engines(statuses: Iterable[EngineStatus], names: Iterable[str]) -> list[EngineNotLoaded]:
    """Return one error for each of `names` that no ready version stands for, with Triton's reason.

    A name may ask for a version (client/pinned.py): that one is missing, then, if another one is ready.
    """
    statuses = list(statuses)
    ready = {status.name for status in statuses if status.ready}
    ready |= {pinned(status.name, status.version) for status in statuses if status.ready}
    reasons = {status.name: status.reason for status in statuses if not status.ready}
    missing = (name for name in dict.fromkeys(names) if name not in ready)
    return [EngineNotLoaded(name, reasons.get(name) or _not_loaded(name)) for name in missing]


def _not_loaded(name: str) -> str:
    model, version = split_pinned(name)
    return f"version {version} is not loaded" if version else not_loaded_reason(model)
