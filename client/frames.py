"""Calls that carry pictures: by shared memory when Triton is on this machine, by gRPC otherwise.

20 MB take about 7 ms through shared memory and 80 to 100 ms through gRPC.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import structlog
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput, InferResult
from tritonclient.utils import triton_to_np_dtype

from client.connection import TritonConnection
from client.contracts import UInt8Array
from client.engine import Engine
from client.errors import SharedMemoryRefused
from client.shared_memory import Region
from client.tensors import Answer, require_contract, unary_inputs

Transport = Literal["auto", "grpc", "shared_memory"]
"""How pictures travel. auto: shared memory when Triton's address is loopback; should Triton then not see this machine's
memory (a container with its own), gRPC, with a logged note. shared_memory: that, or an error."""

log = structlog.get_logger()


@dataclass(frozen=True)
class FrameCall:
    """One batch: what goes in, and what must come out."""

    picture: str
    """Name of the input that holds the pictures."""
    pictures: UInt8Array
    """Shape [n, h, w, 3]."""
    others: Mapping[str, NDArray[Any]]
    """The small inputs."""
    output: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]
    """None: any size. An output whose size is known is shared as well."""

    def output_bytes(self) -> int:
        """Size of the output, 0 when it is not known."""
        sizes = [size or 0 for size in self.shape]
        return math.prod(sizes) * self.dtype.itemsize


class FrameEngine(Engine):
    """Base of the engines that read pictures."""

    def __init__(
        self, connection: TritonConnection, model: str, timeout_s: float, *, transport: Transport = "auto"
    ) -> None:
        super().__init__(connection, model, timeout_s)
        self._transport = transport
        self._shares = transport == "shared_memory" or (transport == "auto" and connection.is_local)

    def _run(self, call: FrameCall, traceparent: str) -> NDArray[Any]:
        """Run one batch; return its output, checked against the contract."""
        if self._shares:
            try:
                return self._run_shared(call, traceparent)
            except SharedMemoryRefused as error:
                if self._transport == "shared_memory":
                    raise
                log.warning("pictures go by gRPC: Triton does not share this machine's memory", reason=str(error))
                self._shares = False
        inputs = unary_inputs({call.picture: call.pictures, **call.others})
        result = self._connection.infer(self.model, inputs, timeout_s=self._timeout_s, traceparent=traceparent)
        return Answer(self.model, result, batched=False).array(call.output, call.dtype, call.shape)

    def _run_shared(self, call: FrameCall, traceparent: str) -> NDArray[Any]:
        try:
            return self._run_once_shared(call, traceparent)
        except SharedMemoryRefused:
            # A restarted Triton knows none of the regions that the pool kept; a fresh one decides.
            self._connection.regions.discard_idle()
            return self._run_once_shared(call, traceparent)

    def _run_once_shared(self, call: FrameCall, traceparent: str) -> NDArray[Any]:
        output_at = -(-call.pictures.nbytes // 64) * 64
        with self._connection.regions.lend(output_at + call.output_bytes()) as region:
            region.write(0, call.pictures)
            picture = InferInput(call.picture, list(call.pictures.shape), "UINT8")
            picture.set_shared_memory(region.name, call.pictures.nbytes)
            output = InferRequestedOutput(call.output)
            if call.output_bytes():
                output.set_shared_memory(region.name, call.output_bytes(), output_at)
            result = self._connection.infer(
                self.model,
                [picture, *unary_inputs(call.others)],
                timeout_s=self._timeout_s,
                traceparent=traceparent,
                outputs=[output],
            )
            if call.output_bytes():
                return self._read(call, result, region, output_at)
        return Answer(self.model, result, batched=False).array(call.output, call.dtype, call.shape)

    def _read(self, call: FrameCall, result: InferResult, region: Region, output_at: int) -> NDArray[Any]:
        stated = result.get_output(call.output)
        require_contract(self.model, stated is not None, f"output {call.output} is missing")
        dtype, shape = np.dtype(triton_to_np_dtype(stated.datatype)), tuple(stated.shape)
        require_contract(
            self.model,
            (dtype, shape) == (call.dtype, call.shape),
            f"output {call.output} is {dtype} {list(shape)}, expected {call.dtype} {list(call.shape)}",
        )
        return region.read(output_at, shape, dtype)
