"""How to reach the node, and its errors in our words."""

import pika
from pika.adapters.utils.connection_workflow import (
    AMQPConnectionWorkflowFailed,
    AMQPConnectorException,
    AMQPConnectorPhaseErrorBase,
)
from pika.exceptions import AMQPError, ChannelClosedByBroker

from orchestrator.errors import BrokerError, BrokerUnavailable, Unroutable
from orchestrator.settings import BrokerSettings

PIKA_ERRORS = (AMQPError, AMQPConnectorException, OSError)
"""What a blocking call may raise; the second stands outside pika's own tree (a handshake that timed out)."""

_NOT_FOUND = 404
_PRECONDITION_FAILED = 406


def connection_parameters(settings: BrokerSettings, name: str) -> pika.URLParameters:
    """Return pika's parameters; `name` is what the broker's own tools show for the connection.

    Raises:
        ValueError: the URL is none.
    """
    parameters = pika.URLParameters(settings.url)
    parameters.heartbeat = settings.heartbeat_s
    # A node in memory or disk alarm stops reading from publishers: without this they would wait for ever.
    parameters.blocked_connection_timeout = settings.publish_timeout_s
    parameters.socket_timeout = settings.publish_timeout_s
    parameters.stack_timeout = settings.publish_timeout_s
    parameters.connection_attempts = 1  # our own back-off decides when to try again
    parameters.client_properties = {"connection_name": name}
    return parameters


def describe(error: BaseException) -> str:
    """Name the cause in one line; pika wraps it in up to three errors of its own while it connects."""
    while (inner := _inner(error)) is not None:
        error = inner
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def translate(error: Exception) -> BrokerError:
    """Return the error of our tree that one of `PIKA_ERRORS` means."""
    if isinstance(error, ChannelClosedByBroker):
        if error.reply_code == _NOT_FOUND:
            return Unroutable(error.reply_text)
        if error.reply_code == _PRECONDITION_FAILED:
            return BrokerError(
                f"{error.reply_text}; the queue was made under other settings: delete it, or restore the settings"
            )
    return BrokerUnavailable(describe(error))


def _inner(error: BaseException) -> BaseException | None:
    inner: object = None
    if isinstance(error, AMQPConnectionWorkflowFailed):
        inner = error.exceptions[-1]
    elif isinstance(error, AMQPConnectorPhaseErrorBase):
        inner = error.exception
    elif isinstance(error, AMQPError) and error.args:
        inner = error.args[0]
    return inner if isinstance(inner, BaseException) else None
