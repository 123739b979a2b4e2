"""Asks a Triton server how it is, over its HTTP API. Standard library only: the embedded server needs no client."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ModelState:
    """One line of Triton's repository index."""

    name: str
    version: str
    state: str
    """READY, LOADING, UNLOADING or UNAVAILABLE; "" when nobody asked for it yet."""
    reason: str
    """Why it is not ready, the model's own traceback included."""


def is_live(http_url: str) -> bool:
    """Tell whether the server answers. It begins to listen only when it has tried to load every model."""
    try:
        with urllib.request.urlopen(f"{http_url}/v2/health/live", timeout=_TIMEOUT_S) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:  # refused, reset, timed out; URLError is one
        return False


def repository_index(http_url: str) -> list[ModelState]:
    """Return the state of every model version the server knows."""
    request = urllib.request.Request(f"{http_url}/v2/repository/index", data=b"{}", method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - our own loopback URL
        entries = json.load(answer)
    return [
        ModelState(entry["name"], entry.get("version", ""), entry.get("state", ""), entry.get("reason", ""))
        for entry in entries
    ]


def failures(
    models: Sequence[str], index: Sequence[ModelState], why_absent: Callable[[str], str] | None = None
) -> list[ModelState]:
    """Return what keeps the named models from being ready; empty when all are.

    A model that is ready in one version counts as ready. Of an ensemble's failed steps the reasons come along.
    `why_absent` tells of a model for which Triton gives no reason.
    """
    ready = {entry.name for entry in index if entry.state == "READY"}
    missing = [name for name in models if name not in ready]
    if not missing:
        return []
    told = [entry for entry in index if entry.reason and entry.name not in ready]
    silent = set(missing) - {entry.name for entry in told}
    return told + [ModelState(name, "", "", why_absent(name) if why_absent else "") for name in sorted(silent)]
