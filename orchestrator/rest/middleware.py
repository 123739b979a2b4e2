"""What every answer gets: security headers, its duration in the metrics, and an end where it came before the body.

Plain ASGI, so streams stay streams.
"""

import time
from contextlib import ExitStack

import anyio
import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.rest.metrics import GatewayMetrics
from orchestrator.telemetry.spans import span
from orchestrator.tracing import trace_id_of

SECURITY_HEADERS = {
    # The page needs nothing but its own files: no inline script, no other host, no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

HTTP_INTERNAL_ERROR = 500

LINGER_S = 2.0
LINGER_BYTES = 4 * 1024 * 1024
"""What is still read, and thrown away, of a body that was refused: time for the client to see the answer."""


class SecurityHeaders:
    """Adds SECURITY_HEADERS to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class RequestTimer:
    """Observes how long the answer's first byte took, by route (its template, never the address)."""

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        """Wrap an application."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        started_s = time.perf_counter()

        async def send_and_observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                labels = (scope["method"], route, str(message["status"]))
                self._metrics.request_seconds.labels(*labels).observe(time.perf_counter() - started_s)
            await send(message)

        await self._app(scope, receive, send_and_observe if scope["type"] == "http" else send)


class Traced:
    """Makes a span of each request to the API, and the request's `traceparent` that of the span.

    The span ends with the answer's first byte, as the duration in the metrics does: a stream of events lasts as long as
    its client likes.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        with ExitStack() as stack:
            begun = stack.enter_context(span(scope["method"], headers.get("traceparent", ""), "server"))
            headers["traceparent"] = begun.traceparent
            stack.enter_context(structlog.contextvars.bound_contextvars(trace_id=trace_id_of(begun.traceparent)))

            async def send_and_end(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", "other")
                    begun.rename(f"{scope['method']} {route}")
                    begun.note(**{"http.response.status_code": message["status"]})
                    if message["status"] >= HTTP_INTERNAL_ERROR:
                        begun.fail(f"status {message['status']}")
                    begun.end()
                await send(message)

            await self._app(scope, receive, send_and_end)


class LingeringClose:
    """Closes a connection whose request was answered before its body was read: a refused upload must end.

    Without it the server reads on to the body's end, however long that is, to use the connection again. Closing at
    once would reset the connection, and many clients lose the answer then; so the answer is sent, a little more of the
    body is thrown away, and then it is closed (as web servers do under this name).
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self._app(scope, receive, send)
            return
        body = _Body(receive)

        async def send_and_close(message: Message) -> None:
            if body.read:
                await send(message)
            elif message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
                await send(message)
            elif message.get("more_body", False):
                await send(message)
            else:
                await send({**message, "more_body": True})  # whole for the client, by its Content-Length
                await body.throw_away()
                await send({"type": "http.response.body", "body": b""})

        await self._app(scope, body.receive, send_and_close)


class _Body:
    """A request's body, and whether it was read to its end."""

    def __init__(self, receive: Receive) -> None:
        self.read = False
        self._receive = receive

    async def receive(self) -> Message:
        message = await self._receive()
        self.read = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def throw_away(self) -> None:
        size = 0
        with anyio.move_on_after(LINGER_S):
            while not self.read and size < LINGER_BYTES:
                size += len((await self.receive()).get("body", b""))
