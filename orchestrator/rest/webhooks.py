"""Tells whoever asked that a dub has ended: signed (Standard Webhooks, standardwebhooks.com), tried again, kept."""

import base64
import binascii
import hashlib
import hmac
import json
import random
import time
from datetime import UTC, datetime

import anyio
import httpx
import structlog
from anyio import to_thread

from orchestrator.clock import now_ms
from orchestrator.errors import WebhookRefused
from orchestrator.rest.context import Gateway
from orchestrator.rest.targets import Target, check_webhook
from orchestrator.rest.views import error_view
from orchestrator.store.schema import Dub, WebhookState

log = structlog.get_logger()

TIMEOUT_S = 15.0
"""The specification recommends 15 to 30 s."""
RETRY_DELAYS_S = (5, 60, 300, 1800, 7200, 18_000, 36_000)
"""Between the tries, about a day in all; the schedule of the specification with one early step more."""
JITTER = 0.2
"""Each delay is longer by up to this share, so that receivers that come back are not hit by all at once."""
LEASE_MS = int(4 * TIMEOUT_S * 1000)
"""After this another gateway may try: the one that took the webhook is dead."""
SECRET_PREFIX = "whsec_"  # noqa: S105 (the specification's prefix, no secret)


async def send_due(gateway: Gateway) -> int:
    """Send all webhooks that are due now, one after the other; returns how many were tried."""
    tried = 0
    while (dub := await to_thread.run_sync(gateway.dubs.webhooks.claim, now_ms(), LEASE_MS)) is not None:
        await _try_once(gateway, dub)
        tried += 1
    return tried


async def _try_once(gateway: Gateway, dub: Dub) -> None:
    state, outcome = await _deliver(gateway, dub)
    due_at_ms = 0
    if state is WebhookState.WAITING:
        if dub.webhook_attempts > len(RETRY_DELAYS_S):
            state = WebhookState.FAILED
        else:
            delay_s = RETRY_DELAYS_S[dub.webhook_attempts - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 (no secret)
            due_at_ms = now_ms() + round(delay_s * 1000)
    gateway.metrics.webhooks.labels(state.value).inc()
    log.info("webhook", dub=str(dub.id), outcome=outcome, state=state.value, attempt=dub.webhook_attempts)
    await to_thread.run_sync(gateway.dubs.webhooks.settle, dub.id, state, outcome, due_at_ms)


async def _deliver(gateway: Gateway, dub: Dub) -> tuple[WebhookState, str]:
    """Try once; returns DELIVERED, FAILED (never again) or WAITING, and what happened."""
    assert dub.webhook is not None
    try:
        target = await check_webhook(dub.webhook, gateway.settings.gateway)
        status = await _post(
            dub.webhook, target, message_id(dub), body_of(dub), gateway.settings.gateway.webhook_secret
        )
    except WebhookRefused as error:
        return WebhookState.WAITING, str(error)  # a name may resolve again, an operator may set the secret again
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return WebhookState.WAITING, f"{type(error).__name__}: {error}".rstrip(": ")
    if 200 <= status < 300:
        return WebhookState.DELIVERED, f"HTTP {status}"
    if status == httpx.codes.GONE:  # the specification's way to unsubscribe
        return WebhookState.FAILED, f"HTTP {status}"
    return WebhookState.WAITING, f"HTTP {status}"


async def _post(url: str, target: Target, identifier: str, body: bytes, secret: str) -> int:
    """Post to the address that was checked, under the name that was asked; redirects are not followed."""
    timestamp = int(time.time())
    address = httpx.URL(url).copy_with(host=target.address)
    headers = {
        "host": httpx.URL(url).netloc.decode(),
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, identifier, timestamp, body),
    }
    extensions = {"sni_hostname": target.host}  # the certificate must be the name's, not the address's
    with anyio.fail_after(TIMEOUT_S):
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", address, content=body, headers=headers, extensions=extensions) as answer,
        ):
            return answer.status_code  # the body is not read: it could be endless


def message_id(dub: Dub) -> str:
    """Return the webhook-id: the same for every try, so that the receiver can drop what it has seen."""
    return f"msg_{dub.id.hex}_{dub.state}"


def body_of(dub: Dub) -> bytes:
    """Return the payload: the event's type, when it happened, and the dub's end."""
    assert dub.finished_at_ms is not None
    error = error_view(dub)
    payload = {
        "type": f"dub.{dub.state}",
        "timestamp": datetime.fromtimestamp(dub.finished_at_ms / 1000, UTC).isoformat(),
        "data": {
            "id": str(dub.id),
            "state": dub.state,
            "source_language": dub.source_language,
            "target_language": dub.target_language,
            "error": error.model_dump() if error is not None else None,
        },
    }
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def sign(secret: str, identifier: str, timestamp: int, body: bytes) -> str:
    """Return the webhook-signature: "v1," and base64 of HMAC-SHA256 over `id.timestamp.body`.

    `secret` is plain text, or base64 after "whsec_" as the specification writes it.
    """
    content = f"{identifier}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise WebhookRefused("the gateway's webhook_secret is not base64 after whsec_") from error
