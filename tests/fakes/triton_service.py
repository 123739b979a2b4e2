"""Triton's gRPC service played by a few lines of Python, in this process: for what a real Triton does not do on cue."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from tritonclient.grpc import service_pb2
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)

Response = service_pb2.ModelStreamInferResponse


def message(final: bool = False, error: str = "") -> Any:
    """One message of a stream, without tensors."""
    response = Response(error_message=error)
    response.infer_response.parameters["triton_final_response"].bool_param = final
    return response


class FakeService(GRPCInferenceServiceServicer):
    """Streams what `stream(request, context)` yields; keeps the metadata of every call."""

    def __init__(self, stream: Callable[[Any, grpc.ServicerContext], Iterator[Any]]) -> None:
        self._stream = stream
        self.metadata: list[dict[str, str]] = []
        self.requests: list[Any] = []

    def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._remember(request, context)
        return service_pb2.ModelInferResponse(model_name=request.model_name)

    def ModelStreamInfer(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        request = next(requests)
        self._remember(request, context)
        yield from self._stream(request, context)

    def _remember(self, request: Any, context: grpc.ServicerContext) -> None:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))


@contextmanager
def serving(service: FakeService) -> Iterator[str]:
    """Serve on a free loopback port; yields host:port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    add_GRPCInferenceServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
