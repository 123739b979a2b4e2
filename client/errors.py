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


class RestError(PolylipError):
    """The REST gateway answered with a problem (RFC 9457)."""

    code = "rest-error"

    def __init__(self, status: int, problem: str, detail: str, retry_after_s: float | None = None) -> None:
        """Keep the facts apart, so that callers need not read the sentence."""
        super().__init__(f"{problem}: {detail}" if detail else problem)
        self.status = status
        """HTTP status; 0 when there was no answer."""
        self.problem = problem
        """The problem's code: the last part of its `type`, such as "not-a-video"."""
        self.detail = detail
        self.retry_after_s = retry_after_s
        """How long the gateway asks to wait before another try."""


class RestUnavailable(RestError):
    """The REST gateway, or something that it stands on, is away or busy (429, 503, no answer)."""

    retryable = True
    code = "rest-unavailable"
