"""Where a webhook may go: never, unless allowed, into the network that the gateway itself stands in (SSRF)."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio

from orchestrator.errors import WebhookRefused
from orchestrator.settings import GatewaySettings

URL_CHARACTERS = 2048
RESOLVE_TIMEOUT_S = 5.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: carries an IPv4 address that may be private."""


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's address, resolved and checked; a connection must be made to `address` and nowhere else."""

    scheme: str
    host: str
    port: int
    address: str
    """IPv4 or IPv6, as text."""


async def check_webhook(url: str, settings: GatewaySettings) -> Target:
    """Return where `url` leads now. Raises WebhookRefused when webhooks are off or the address may not be called."""
    if not settings.webhook_secret:
        raise WebhookRefused("webhooks are off: the gateway has no secret to sign them with")
    if len(url) > URL_CHARACTERS or not url.isprintable():
        raise WebhookRefused("the webhook is no plain address")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise WebhookRefused(f"the webhook is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.password is not None:
        raise WebhookRefused("a webhook is an http or https address without credentials")
    port = port or (443 if parts.scheme == "https" else 80)
    addresses = await _resolve(host, port)
    if not settings.webhook_allow_private and not all(is_public(address) for address in addresses):
        raise WebhookRefused(f"{host} is not a public address")
    return Target(parts.scheme, host, port, addresses[0])


def is_public(address: str) -> bool:
    """Tell whether an IP address lies in the public internet, tunnelled and mapped addresses looked through."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour is not None or ip.teredo is not None or ip in _NAT64:
            return False
    return ip.is_global and not ip.is_multicast


async def _resolve(host: str, port: int) -> list[str]:
    """Return every address of `host`; all of them are judged, one of them is called."""
    try:
        with anyio.fail_after(RESOLVE_TIMEOUT_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise WebhookRefused(f"{host} does not resolve") from error
    return [str(address[4][0]) for address in found]
