import grpc
import pytest
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
from client.grpc_errors import translate, translate_in_stream, translated

# The messages are Triton's own, seen on release 24.10.
CASES = [
    ("UNAVAILABLE", "failed to connect to all addresses; Connection refused", EngineUnavailable, True),
    ("UNAVAILABLE", "Exceeds maximum queue size", EngineBusy, True),
    ("UNAVAILABLE", "Request timeout expired", EngineTimeout, True),
    ("UNAVAILABLE", "Request for unknown model: 'm' version 1 is not at ready state", EngineNotLoaded, True),
    ("NOT_FOUND", "Request for unknown model: 'm' is not found", EngineNotLoaded, True),
    ("NOT_FOUND", "Request for unknown model: 'm' has no available versions", EngineNotLoaded, True),
    ("DEADLINE_EXCEEDED", "Deadline Exceeded", EngineTimeout, True),
    ("INVALID_ARGUMENT", "unexpected shape for input 'AUDIO'", EngineRefused, False),
    ("INVALID_ARGUMENT", "TEXT is not found in any dictionary", EngineRefused, False),
    ("INVALID_ARGUMENT", "Unable to find shared memory region: 'polylip-frames-1'", SharedMemoryRefused, False),
    ("INTERNAL", "Unable to open shared memory region: '/polylip-frames-1'", SharedMemoryRefused, False),
    ("INTERNAL", "Stub process 'm_0_0' is not healthy.", EngineFault, True),
    ("INTERNAL", "shared memory size specified with the request for output 'A' (1 bytes) should be at least 2 bytes to "
     "hold the results", ContractViolation, False),
    ("UNKNOWN", "something", EngineFault, True),
    ("UNIMPLEMENTED", "ModelInfer RPC doesn't support models with decoupled policy", ContractViolation, False),
    ("RESOURCE_EXHAUSTED", "Sent message larger than max (5 vs. 4)", EngineRefused, False),
    ("RESOURCE_EXHAUSTED", "too many requests", EngineBusy, True),
    ("CANCELLED", "Channel closed!", EngineUnavailable, True),
    ("PERMISSION_DENIED", "no", EngineError, False),
]  # fmt: skip


class FakeRpcError(grpc.RpcError, grpc.Call):
    """What a failed call raises in grpc: an error that is also the call."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        self._code, self._details = code, details

    def code(self):
        return self._code

    def details(self):
        return self._details

    def initial_metadata(self):
        return ()

    def trailing_metadata(self):
        return ()

    def is_active(self):
        return False

    def time_remaining(self):
        return None

    def cancel(self):
        return False

    def add_callback(self, callback):
        return False


@pytest.mark.parametrize(("status", "message", "kind", "retryable"), CASES)
def test_every_status_becomes_one_kind_of_error(status, message, kind, retryable):
    errors = [
        translate(InferenceServerException(msg=message, status=f"StatusCode.{status}"), "m"),
        translate(FakeRpcError(grpc.StatusCode[status], message), "m"),
    ]

    for error in errors:
        assert type(error) is kind
        assert (error.model, error.detail, error.retryable) == ("m", message, retryable)


def test_every_status_of_grpc_has_an_error():
    for status in grpc.StatusCode:
        assert isinstance(translate(FakeRpcError(status, "x"), "m"), EngineError)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Stub process 'tts_0_0' is not healthy.", EngineFault),
        ("RuntimeError: the text must not rhyme", EngineFault),
        ("Failed to process the request(s) for model 'm_0', message: ValueError: x must be y", EngineFault),
        ("Exceeds maximum queue size", EngineBusy),
        ("Request timeout expired", EngineTimeout),
        ("Request for unknown model: 'm' has no available versions", EngineNotLoaded),
        ("[request id: 1] unexpected shape for input 'SPEED' for model 'm'.", EngineRefused),
        ("[request id: <id_unknown>] expected 4 inputs but got 3 inputs for model 'm'", EngineRefused),
        ("inference input data-type is 'FP64', model expects 'FP32' for 'm'", EngineRefused),
        ("TEXT is missing", EngineRefused),
        ("SPEAKER_AUDIO holds NaN or infinite values", EngineRefused),
        ("TEXT has 9000 characters, at most 1000 are taken", EngineRefused),
        ("LANGUAGE 'xx' is not served; there are: en es", EngineRefused),
        ("CUDA is out of memory", EngineFault),
    ],
)
def test_errors_inside_a_stream_are_told_by_their_words(message, kind):
    assert type(translate_in_stream(message, "m", ("TEXT", "LANGUAGE", "SPEAKER_AUDIO"))) is kind


def test_a_closed_channel_is_an_unavailable_server():
    with pytest.raises(EngineUnavailable) as caught, translated("m"):
        raise ValueError("Cannot invoke RPC on closed channel!")
    assert isinstance(caught.value.__cause__, ValueError)


def test_other_value_errors_are_not_swallowed():
    with pytest.raises(ValueError, match="ours"), translated("m"):
        raise ValueError("ours")


def test_translating_twice_changes_nothing():
    error = EngineBusy("m", "full")
    assert translate(error, "other") is error
