"""How to reach the node, and its errors in our words."""

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from orchestrator.errors import BrokerError, BrokerUnavailable, Unroutable
from orchestrator.settings import BrokerSettings

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
    """Name an error in one line; pika's own texts are empty or nested tuples now and then."""
    return f"{type(error).__name__}: {error}" if str(error) else repr(error)


def translate(error: AMQPError | OSError) -> BrokerError:
    """Return the error of our tree that `error` means."""
    if isinstance(error, ChannelClosedByBroker):
        if error.reply_code == _NOT_FOUND:
            return Unroutable(error.reply_text)
        if error.reply_code == _PRECONDITION_FAILED:
            return BrokerError(
                f"{error.reply_text}; the queue was made under other settings: delete it, or restore the settings"
            )
    return BrokerUnavailable(describe(error))
