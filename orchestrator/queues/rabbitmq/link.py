"""One connection that keeps itself alive: its thread reads, writes, answers heartbeats and reconnects."""

import threading
import time
from collections.abc import Callable

import pika
import structlog
import tenacity
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel

from orchestrator.errors import BrokerUnavailable
from orchestrator.logs import thread_with_ids
from orchestrator.queues.rabbitmq.parameters import connection_parameters, describe
from orchestrator.settings import BrokerSettings
from orchestrator.telemetry.metrics import RECONNECTS

log = structlog.get_logger(__name__)

MAX_BACKOFF_S = 5.0

_STABLE_AFTER_S = 1.0
"""A connection lost sooner than this counts as a failure to connect, so that the back-off grows."""


class Link:
    """A connection with one channel. `on_open` and `on_lost` run in its thread; pika objects are touched only there."""

    def __init__(
        self,
        name: str,
        settings: BrokerSettings,
        on_open: Callable[[Channel], None],
        on_lost: Callable[[str], None],
    ) -> None:
        """`on_open` gets each new channel, `on_lost` the reason for each that was lost or could not be opened."""
        self._name = name
        self._parameters = connection_parameters(settings, name)
        self._on_open = on_open
        self._on_lost = on_lost
        self._stopping = threading.Event()
        self._loop: IOLoop  # made by start(), for it holds file descriptors
        self._thread = thread_with_ids(self._run, name)
        self._connection: pika.SelectConnection | None = None
        self._opened_at_s: float | None = None
        self._loss = ""

    def start(self) -> None:
        """Begin connecting, and keep at it until closed."""
        self._loop = IOLoop()
        self._thread.start()

    def call(self, function: Callable[[], None]) -> None:
        """Run `function` in the link's thread, when it is or comes to be connected; thread-safe, does not wait."""
        self._loop.add_callback_threadsafe(function)

    def call_and_flush(self, function: Callable[[], None], timeout_s: float = 1.0) -> None:
        """Run `function` in the link's thread and wait until the kernel has what it sent (or the link is lost)."""
        flushed = threading.Event()

        def run() -> None:
            function()
            self.call(flushed.set)  # runs after the next round of the loop, which writes

        self.call(run)
        flushed.wait(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Send what was handed over before, close the connection, join the thread."""
        self._stopping.set()
        if not self._thread.is_alive():
            return
        self.call(self._close_connection)
        self._thread.join(timeout_s)
        if self._thread.is_alive():  # a node that hangs does not answer the closing handshake
            self.call(self._loop.stop)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(BrokerUnavailable),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=MAX_BACKOFF_S, jitter=0.3),
            stop=tenacity.stop_when_event_set(self._stopping),
            sleep=tenacity.sleep_using_event(self._stopping),
        )
        while not self._stopping.is_set():
            try:
                retrying(self._serve)
            except tenacity.RetryError:
                break
            except Exception:  # a fault of ours in a callback: the consumer must not die of it
                log.exception("the connection's thread failed", connection=self._name)
                self._end_failed_connection()
                self._on_lost("internal error")
                self._stopping.wait(1.0)
        self._loop.close()

    def _serve(self) -> None:
        """Open a connection and serve it until it is lost; raises BrokerUnavailable when that was (nearly) at once."""
        self._loss, self._opened_at_s = "", None
        self._connection = pika.SelectConnection(
            self._parameters,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._on_channel_open),
            on_open_error_callback=self._on_connection_lost,
            on_close_callback=self._on_connection_lost,
            custom_ioloop=self._loop,
        )
        self._loop.start()
        self._connection = None
        if not self._stopping.is_set():
            RECONNECTS.labels("broker").inc()
            log.warning("broker connection lost", connection=self._name, reason=self._loss)
        self._on_lost(self._loss)
        if self._opened_at_s is None or time.monotonic() - self._opened_at_s < _STABLE_AFTER_S:
            raise BrokerUnavailable(self._loss)

    def _end_failed_connection(self) -> None:
        """Close what a fault left open: its socket would otherwise stay until the garbage is collected."""
        try:
            if self._connection is not None and not self._connection.is_closed:
                self._close_connection()
                self._loop.start()  # until it is closed
        except Exception:  # then only the garbage collection is left
            log.exception("a connection could not be closed", connection=self._name)
        self._connection = None

    def _on_channel_open(self, channel: Channel) -> None:
        self._opened_at_s = time.monotonic()
        channel.add_on_close_callback(self._on_channel_closed)
        self._on_open(channel)

    def _on_channel_closed(self, _channel: Channel, reason: Exception) -> None:
        self._loss = self._loss or describe(reason)
        self._close_connection()

    def _on_connection_lost(self, _connection: object, reason: BaseException) -> None:
        self._loss = self._loss or describe(reason)
        self._loop.stop()

    def _close_connection(self) -> None:
        if self._connection is None or self._connection.is_closed:
            self._loop.stop()
        elif not self._connection.is_closing:
            self._connection.close()
