"""The one place where gRPC's and Triton's errors become the project's (client/errors.py)."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import grpc
from tritonclient.utils import InferenceServerException

from client.errors import (
    ContractViolation,
    EngineBusy,
    EngineError,
    EngineFault,
    EngineNotLoaded,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    SharedMemoryRefused,
)

SERVER = "triton"
"""Stands for the model's name in errors of calls that concern no model."""

_BY_STATUS: dict[str, type[EngineError]] = {
    "UNAVAILABLE": EngineUnavailable,
    "CANCELLED": EngineUnavailable,  # our own cancellations are never reported, so the server or a close() cancelled
    "ABORTED": EngineUnavailable,
    "DEADLINE_EXCEEDED": EngineTimeout,
    "NOT_FOUND": EngineNotLoaded,
    "RESOURCE_EXHAUSTED": EngineBusy,
    "INVALID_ARGUMENT": EngineRefused,
    "OUT_OF_RANGE": EngineRefused,
    "UNIMPLEMENTED": ContractViolation,  # a decoupled model called without a stream, or the reverse
    "INTERNAL": EngineFault,
    "UNKNOWN": EngineFault,
    "DATA_LOSS": EngineFault,
}

_ANY = frozenset(_BY_STATUS)

_BY_MESSAGE: tuple[tuple[frozenset[str], re.Pattern[str], type[EngineError]], ...] = (
    # A status alone says too little: a full queue and a server that is away are both UNAVAILABLE.
    (_ANY, re.compile(r"shared memory region"), SharedMemoryRefused),
    (frozenset({"INTERNAL"}), re.compile(r"shared memory size specified .* should be at least"), ContractViolation),
    (frozenset({"UNAVAILABLE"}), re.compile(r"Exceeds maximum queue size"), EngineBusy),
    (frozenset({"UNAVAILABLE"}), re.compile(r"Request timeout expired"), EngineTimeout),
    (
        frozenset({"UNAVAILABLE"}),
        re.compile(r"unknown model|no available versions|is not at ready state|not found|is not ready"),
        EngineNotLoaded,
    ),
    (frozenset({"RESOURCE_EXHAUSTED"}), re.compile(r"message larger than max"), EngineRefused),
)

_IN_STREAM: tuple[tuple[re.Pattern[str], type[EngineError]], ...] = (
    *((pattern, kind) for statuses, pattern, kind in _BY_MESSAGE if statuses & {"UNAVAILABLE"}),
    # What Triton itself writes of a wrong input; an engine's own refusal begins with the input's name.
    (
        re.compile(r"unexpected (shape|datatype|inference input)|inference input|expected \d+ inputs but got"),
        EngineRefused,
    ),
)


def translate(error: Exception, model: str) -> EngineError:
    """Make the project's error of what grpc or tritonclient raised; an EngineError passes through unchanged."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, InferenceServerException):
        return _of_status((error.status() or "").rpartition(".")[2], error.message() or str(error), model)
    if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call):
        return _of_status(error.code().name, error.details() or str(error), model)
    # grpc says with a bare ValueError that the channel was closed while or before the call was made
    return EngineUnavailable(model, f"{type(error).__name__}: {error}")


def translate_in_stream(message: str, model: str, inputs: Collection[str] = ()) -> EngineError:
    """Make an error of a message inside a stream: Triton sends no status there, so its words decide.

    A refusal begins with the name of one of the `inputs` ("TEXT has 9000 characters, …"), as the engines of this
    project write it (deploy/triton/engine_kit). What is not recognised is a fault of the model: that is tried again
    and then given up with the reason.
    """
    if message.partition(" ")[0] in inputs:
        return EngineRefused(model, message)
    kind = next((kind for pattern, kind in _IN_STREAM if pattern.search(message)), EngineFault)
    return kind(model, message)


@contextmanager
def translated(model: str = SERVER) -> Iterator[None]:
    """Run calls to grpc or tritonclient so that only the project's errors leave the block."""
    try:
        yield
    except (grpc.RpcError, InferenceServerException) as error:
        raise translate(error, model) from error
    except ValueError as error:
        if not str(error).startswith("Cannot invoke RPC"):
            raise
        raise translate(error, model) from error


def _of_status(status: str, message: str, model: str) -> EngineError:
    for statuses, pattern, kind in _BY_MESSAGE:
        if status in statuses and pattern.search(message):
            return kind(model, message)
    return _BY_STATUS.get(status, EngineError)(model, message)
