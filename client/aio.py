"""What the REST gateway asks Triton, without blocking its event loop."""

from collections.abc import Mapping, Sequence
from typing import Any

from tritonclient.grpc.aio import InferenceServerClient

from client.asked_languages import AskedLanguages, answered, completed, must_be_asked, question
from client.channel import CHANNEL_ARGUMENTS
from client.connection import model_config_of, statuses_of
from client.contracts import EngineStatus
from client.errors import EngineError, EngineNotLoaded
from client.grpc_errors import translated
from client.model_config import ModelConfig
from client.pair_models import PAIR_MODELS, pair_models, with_pairs
from client.pinned import split_pinned


class AsyncTriton:
    """Control calls over asyncio gRPC; one event loop uses one object. Every call has the deadline given."""

    def __init__(self, grpc_url: str, control_timeout_s: float) -> None:
        """Only remember where Triton is: the channel belongs to the loop of the first call."""
        self.grpc_url = grpc_url
        self._timeout_s = control_timeout_s
        self._made: Any = None
        self._asked = AskedLanguages()

    async def is_live(self) -> bool:
        """Tell whether Triton answers; never raises for a server that is away."""
        try:
            with translated():
                return bool(await self._client.is_server_live(client_timeout=self._timeout_s))
        except EngineError:
            return False

    async def statuses(self) -> list[EngineStatus]:
        """List every model version that Triton knows. Raises EngineUnavailable, EngineTimeout."""
        with translated():
            index = await self._client.get_model_repository_index(client_timeout=self._timeout_s)
        return statuses_of(index)

    async def model_ready(self, name: str) -> bool:
        """Tell whether Triton serves the model. Raises EngineUnavailable, EngineTimeout."""
        try:
            with translated(name):
                return bool(await self._client.is_model_ready(name, client_timeout=self._timeout_s))
        except EngineNotLoaded:
            return False

    async def config_parameters(self, model: str) -> dict[str, str]:
        """Return the `parameters` of the model's config; languages that it leaves to others are asked of them.

        Raises EngineNotLoaded, EngineUnavailable, EngineTimeout.
        """
        config = await self._config(model)
        if PAIR_MODELS in config.parameters:
            models = pair_models(config.parameters, await self.statuses())
            return with_pairs(config.parameters, [await self._stated(name) for name in models])
        if must_be_asked(config):
            config = completed(config, await self._languages_of(config))
        return dict(config.parameters)

    async def _config(self, model: str) -> ModelConfig:
        with translated(model):
            answer = await self._client.get_model_config(split_pinned(model)[0], client_timeout=self._timeout_s)
        return model_config_of(answer.config)

    async def _stated(self, model: str) -> Mapping[str, str]:
        """Return a model's parameters; none when it was unloaded meanwhile."""
        try:
            return (await self._config(model)).parameters
        except EngineNotLoaded:
            return {}

    async def _languages_of(self, config: ModelConfig) -> str:
        with translated(config.model):
            metadata = await self._client.get_model_metadata(config.model, client_timeout=self._timeout_s)
            versions = tuple(metadata.versions)
            languages = self._asked.recall(config.model, versions)
            if languages is None:
                result = await self._client.infer(config.model, question(config), client_timeout=self._timeout_s)
                languages = answered(config, result)
                self._asked.learn(config.model, versions, languages)
        return languages

    async def require_loaded(self, names: Sequence[str]) -> None:
        """Check that Triton serves every model of `names`.

        Raises:
            EngineNotLoaded: names the first that is missing, and why.
            EngineUnavailable, EngineTimeout: Triton itself did not answer.
        """
        statuses = await self.statuses()
        ready = {status.name for status in statuses if status.ready}
        for name in names:
            if name not in ready:
                reasons = [status.reason for status in statuses if status.name == name and status.reason]
                raise EngineNotLoaded(name, "; ".join(reasons) or "the model is not loaded")

    async def close(self) -> None:
        """Close the channel; a later call opens a new one."""
        made, self._made = self._made, None
        if made is not None:
            await made.close()

    @property
    def _client(self) -> Any:  # noqa: ANN401 - tritonclient is untyped
        if self._made is None:
            self._made = InferenceServerClient(self.grpc_url, channel_args=CHANNEL_ARGUMENTS)
        return self._made
