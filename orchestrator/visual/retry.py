"""Trying an engine again when its error says that the same call may succeed later."""

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential
from tenacity.nap import sleep_using_event

from client.errors import PolylipError
from orchestrator.settings import VisualSettings

Answer = TypeVar("Answer")

logger = structlog.get_logger(__name__)


class EngineRetry:
    """Calls an engine up to `engine_attempts` times, doubling the pause after each failure."""

    def __init__(self, settings: VisualSettings, cancelled: threading.Event | None = None) -> None:
        """Pauses end at once when `cancelled` is set; the try that follows is then the caller's to stop."""
        self._attempts = settings.engine_attempts
        self._first_pause_s = settings.engine_retry_delay_s
        self._cancelled = cancelled or threading.Event()

    def call(self, ask: Callable[[], Answer]) -> Answer:
        """Return what `ask` returns. Raises its last error, or at once an error that is not retryable."""
        retrying = Retrying(
            retry=retry_if_exception(self._is_worth_it),
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential(multiplier=self._first_pause_s),
            sleep=sleep_using_event(self._cancelled),
            before_sleep=_log,
            reraise=True,
        )
        return retrying(ask)

    def _is_worth_it(self, error: BaseException) -> bool:
        return isinstance(error, PolylipError) and error.retryable and not self._cancelled.is_set()


def _log(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("engine call failed, trying again", attempt=state.attempt_number, error=str(error))
