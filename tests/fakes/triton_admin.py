"""A Triton that answers as told: fills the Protocol TritonAdmin of the gateway."""

from collections.abc import Sequence

from client.contracts import EngineStatus
from client.errors import EngineNotLoaded, EngineUnavailable
from client.pinned import split_pinned

EMBEDDED_PARAMETERS = {
    "stt_pocketsphinx": {"languages": "en"},
    "mt_apertium": {"language_pairs": "en-es es-en"},
    "tts_espeak": {"languages": "en es"},
    "faces_haar": {},
    "lips_warp": {},
}
"""As the embedded engines state it."""


class FakeTritonAdmin:
    """`models`: name -> config parameters of what is loaded. `not_ready`: name -> why. `away`: nothing answers."""

    def __init__(self, models: dict[str, dict[str, str]] | None = None) -> None:
        self.models = {name: dict(values) for name, values in (models or EMBEDDED_PARAMETERS).items()}
        self.not_ready: dict[str, str] = {}
        self.away = False
        self.closed = False

    async def statuses(self) -> Sequence[EngineStatus]:
        self._answer()
        ready = [EngineStatus(name=name, version="1", ready=True, reason="") for name in self.models]
        return ready + [EngineStatus(name, "", ready=False, reason=reason) for name, reason in self.not_ready.items()]

    async def config_parameters(self, model: str) -> dict[str, str]:
        self._answer()
        name, _ = split_pinned(model)
        if name not in self.models:
            raise EngineNotLoaded(model, "it is not loaded")
        return self.models[name]

    async def close(self) -> None:
        self.closed = True

    def _answer(self) -> None:
        if self.away:
            raise EngineUnavailable("triton", "connection refused")
