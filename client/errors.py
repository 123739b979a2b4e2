"""The error tree: one root, and every branch says whether the same work may succeed later."""

from typing import ClassVar


class PolylipError(Exception):
    """Root of every error that the project raises on purpose."""

    retryable: ClassVar[bool] = False
    """True when the same work, unchanged, may succeed later."""

    code: ClassVar[str] = "internal-error"
    """Stable slug: the last part of a problem's `type` over REST, and the reason of a dead letter."""


class EngineError(PolylipError):
    """Something went wrong between us and one Triton model."""

    code = "engine-error"

    def __init__(self, model: str, detail: str) -> None:
        """Keep the model's name apart from the detail, so that callers can name it."""
        super().__init__(f"{model}: {detail}")
        self.model = model
        self.detail = detail


class EngineUnavailable(EngineError):
    """Triton did not answer, or it is starting or stopping."""

    retryable = True
    code = "engine-unavailable"


class EngineNotLoaded(EngineError):
    """Triton answers, but this model (or the version asked for) is not loaded. It may be loaded later."""

    retryable = True
    code = "engine-not-loaded"


class EngineTimeout(EngineError):
    """The deadline of the call passed before the answer came."""

    retryable = True
    code = "engine-timeout"


class EngineBusy(EngineError):
    """Triton refused the call because a queue is full."""

    retryable = True
    code = "engine-busy"


class EngineFault(EngineError):
    """The model failed on its side (INTERNAL): a dead stub is reloaded, so another try can help."""

    retryable = True
    code = "engine-fault"


class EngineRefused(EngineError):
    """The model refused the input (INVALID_ARGUMENT): the same input will be refused again."""

    code = "engine-refused-input"


class ContractViolation(EngineError):
    """The model's answer or configuration does not fulfil its task contract."""

    code = "engine-contract-violation"


class SharedMemoryRefused(EngineError):
    """Triton cannot map (or no longer knows) the shared memory that holds a tensor: another host, a restart."""

    code = "shared-memory-refused"
