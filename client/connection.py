"""One gRPC connection to Triton, shared by all engines of a process."""

import ipaddress
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import grpc
import structlog
from numpy.typing import NDArray
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, InferResult
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from client.asked_languages import AskedLanguages, answered, completed, must_be_asked, question
from client.channel import CHANNEL_ARGUMENTS
from client.contracts import EngineStatus
from client.errors import EngineFault, EngineNotLoaded
from client.grpc_errors import translate_in_stream, translated
from client.model_config import ModelConfig
from client.observer import CallObserver, NobodyLooks
from client.pair_models import PAIR_MODELS, pair_models, with_pairs
from client.pinned import split_pinned
from client.shared_memory import RegionCalls, RegionPool
from client.statistics import ModelStatistics, statistics_of
from client.tensors import stream_request

log = structlog.get_logger()


class TritonConnection:
    """Thread-safe. Every call has a deadline; only errors of client/errors.py leave it.

    `control_timeout_s` is the deadline of calls that do no inference. Nothing is sent before the first call. Use as a
    context manager, or call `close`.
    """

    def __init__(self, grpc_url: str, *, control_timeout_s: float, observer: CallObserver | None = None) -> None:
        """`observer` encloses every inference."""
        self.grpc_url = grpc_url
        """host:port."""
        self._control_timeout_s = control_timeout_s
        self._observer = observer or NobodyLooks()
        self._asked = AskedLanguages()
        self._client = InferenceServerClient(grpc_url, channel_args=CHANNEL_ARGUMENTS)
        # tritonclient allows one stream per client and leaves a thread behind for each cancelled one, so streams use
        # Triton's service directly. Equal arguments make grpc share the TCP connection between both channels.
        self._stream_channel = grpc.insecure_channel(grpc_url, options=CHANNEL_ARGUMENTS)
        self._service = GRPCInferenceServiceStub(self._stream_channel)
        self.regions = RegionPool(
            RegionCalls(self._register_shared_memory, self._unregister_shared_memory, self._shared_memory_regions)
        )
        """Shared memory that Triton has mapped."""

    @property
    def is_local(self) -> bool:
        """Triton's address is a loopback address, so it may see this machine's shared memory."""
        host = self.grpc_url.rpartition(":")[0].strip("[]")
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:  # a name
            return False

    def close(self) -> None:
        """Close both channels; calls in flight and later ones raise EngineUnavailable."""
        self.regions.close()
        self._client.close()
        self._stream_channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def infer(
        self,
        model: str,
        inputs: Sequence[InferInput],
        *,
        timeout_s: float,
        traceparent: str = "",
        outputs: Sequence[InferRequestedOutput] | None = None,
        strict: bool = False,
    ) -> InferResult:
        """Run one inference; `outputs` None asks for all.

        `model` may name a version ("stt_whisper@2", client/pinned.py); once that is not served any more, the call goes
        to the one that is, unless it is `strict`.
        """
        name, version = split_pinned(model)
        try:
            with self._observer.call(name, version, traceparent) as passed_on, translated(model):
                return self._client.infer(
                    name,
                    inputs,
                    model_version=version,
                    outputs=outputs,
                    client_timeout=timeout_s,
                    headers=_headers(passed_on),
                )
        except EngineNotLoaded:
            if strict or not version:
                raise
        log.info("a pinned version is not served any more: the call goes to the one that is", model=model)
        return self.infer(name, inputs, timeout_s=timeout_s, traceparent=traceparent, outputs=outputs)

    def stream(
        self,
        model: str,
        arrays: Mapping[str, NDArray[Any]],
        *,
        timeout_s: float,
        traceparent: str = "",
        strict: bool = False,
    ) -> Iterator[InferResult]:
        """Yield a decoupled model's responses as they come; the deadline covers the whole stream.

        Closing the iterator early cancels the request on the server. Responses wait in gRPC's flow-control window,
        which is the bound of what is buffered here. `model` may name a version, as in `infer`.
        """
        name, version = split_pinned(model)
        answered = False
        try:
            with closing(self._stream(name, version, arrays, timeout_s, traceparent)) as results:
                for result in results:
                    answered = True
                    yield result
            return
        except EngineNotLoaded:
            if strict or not version or answered:
                raise
        log.info("a pinned version is not served any more: the call goes to the one that is", model=model)
        yield from self._stream(name, "", arrays, timeout_s, traceparent)

    def _stream(
        self, model: str, version: str, arrays: Mapping[str, NDArray[Any]], timeout_s: float, traceparent: str
    ) -> Generator[InferResult, None, None]:
        request = stream_request(model, arrays)
        request.model_version = version
        # Without it the end of a stream is not told, and silence cannot be distinguished from it.
        request.parameters["triton_enable_empty_final_response"].bool_param = True
        with self._observer.call(model, version, traceparent) as passed_on:
            with translated(model):
                call = self._service.ModelStreamInfer(
                    iter([request]), timeout=timeout_s, metadata=tuple((_headers(passed_on) or {}).items())
                )
            try:
                yield from self._responses(model, call, arrays.keys())
            finally:
                call.cancel()

    def config(self, model: str) -> ModelConfig:
        """Read the configuration that Triton serves `model` with; all versions of a model have one."""
        return model_config_of(self._config_message(model))

    def is_decoupled(self, model: str) -> bool:
        """Tell whether the model answers in streams."""
        return bool(self._config_message(model).model_transaction_policy.decoupled)

    def config_with_languages(self, model: str) -> ModelConfig:
        """Read the configuration as if it stated its languages itself.

        Languages that it leaves to the version that serves are asked of that; pairs that it leaves to the models that
        it routes among are those of the loaded ones.
        """
        config = self.config(model)
        if PAIR_MODELS in config.parameters:
            models = pair_models(config.parameters, self.statuses())
            return replace(config, parameters=with_pairs(config.parameters, [self._stated(name) for name in models]))
        return completed(config, self._languages_of(config)) if must_be_asked(config) else config

    def statuses(self) -> list[EngineStatus]:
        """List every model version that Triton knows."""
        with translated():
            index = self._client.get_model_repository_index(client_timeout=self._control_timeout_s)
        return statuses_of(index)

    def statistics(self, model: str) -> ModelStatistics:
        """Return what Triton counted of the model since it was loaded."""
        with translated(model):
            answer = self._client.get_inference_statistics(model, client_timeout=self._control_timeout_s)
        return statistics_of(answer)

    def load(self, model: str, *, timeout_s: float) -> None:
        """Load or reload the model from the repository."""
        with translated(model):
            self._client.load_model(model, client_timeout=timeout_s)

    def unload(self, model: str, *, timeout_s: float) -> None:
        """Unload the model; requests in flight finish."""
        with translated(model):
            self._client.unload_model(model, client_timeout=timeout_s)

    def _config_message(self, model: str) -> Any:  # noqa: ANN401 - a protobuf message
        name, _ = split_pinned(model)
        with translated(model):
            return self._client.get_model_config(name, client_timeout=self._control_timeout_s).config

    def _stated(self, model: str) -> Mapping[str, str]:
        """Return a model's parameters; none when it was unloaded meanwhile."""
        try:
            return self.config(model).parameters
        except EngineNotLoaded:
            return {}

    def _languages_of(self, config: ModelConfig) -> str:
        with translated(config.model):
            metadata = self._client.get_model_metadata(config.model, client_timeout=self._control_timeout_s)
        versions = tuple(metadata.versions)
        languages = self._asked.recall(config.model, versions)
        if languages is None:
            result = self.infer(config.model, question(config), timeout_s=self._control_timeout_s)
            languages = answered(config, result)
            self._asked.learn(config.model, versions, languages)
        return languages

    def _register_shared_memory(self, name: str, byte_size: int) -> None:
        with translated():
            self._client.register_system_shared_memory(
                name, f"/{name}", byte_size, client_timeout=self._control_timeout_s
            )

    def _unregister_shared_memory(self, name: str) -> None:
        with translated():
            self._client.unregister_system_shared_memory(name, client_timeout=self._control_timeout_s)

    def _shared_memory_regions(self) -> dict[str, str]:
        with translated():
            answer = self._client.get_system_shared_memory_status(client_timeout=self._control_timeout_s)
        return {region.name: region.key for region in answer.regions.values()}

    def _responses(self, model: str, call: Any, inputs: Collection[str]) -> Iterator[InferResult]:  # noqa: ANN401
        while True:
            with translated(model):
                message = next(call, None)
            if message is None:
                raise EngineFault(model, "the stream ended before its final response")
            if message.error_message:
                raise translate_in_stream(message.error_message, model, inputs)
            response = message.infer_response
            if response.outputs:
                yield InferResult(response)
            if response.parameters["triton_final_response"].bool_param:
                return


def model_config_of(config: Any) -> ModelConfig:  # noqa: ANN401 - a protobuf message
    """Take over what we use of Triton's ModelConfig message."""
    parameters = {key: value.string_value for key, value in config.parameters.items()}
    return ModelConfig(model=config.name, max_batch_size=config.max_batch_size, parameters=parameters)


def statuses_of(index: Any) -> list[EngineStatus]:  # noqa: ANN401 - a protobuf message
    """Take over Triton's repository index."""
    return [
        EngineStatus(name=entry.name, version=entry.version, ready=entry.state == "READY", reason=entry.reason)
        for entry in index.models
    ]


def _headers(traceparent: str) -> dict[str, str] | None:
    """W3C trace context as gRPC metadata: Triton continues the trace with it."""
    return {"traceparent": traceparent} if traceparent else None
