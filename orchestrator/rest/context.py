"""What the routes work with: the gateway's parts, handed in by whoever makes the application."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from anyio import CapacityLimiter
from fastapi import Depends, Request

from client.contracts import EngineStatus
from orchestrator.media.clip import ClipInfo
from orchestrator.models.admin import ModelAdmin
from orchestrator.queues.broker import Broker
from orchestrator.rest.metrics import GatewayMetrics
from orchestrator.settings import MediaSettings, Settings
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore

PROBES_AT_ONCE = 2
"""Each may take `probe_memory_bytes` for `probe_timeout_s`."""
BROKER_CALLS_AT_ONCE = 16
"""A frozen broker blocks these threads at most, and never those that read the store."""

Probe = Callable[[Path, MediaSettings], ClipInfo]
"""Looks into a clip without decoding it; raises ClipRefused."""


class TritonAdmin(Protocol):
    """What the gateway asks Triton; every call has a deadline and raises EngineError."""

    async def statuses(self) -> Sequence[EngineStatus]:
        """Return every model of the repository index."""
        ...

    async def config_parameters(self, model: str) -> Mapping[str, str]:
        """Return the `parameters` of a loaded model's config.pbtxt."""
        ...

    async def close(self) -> None:
        """Close what belongs to the running event loop; a later call opens it anew."""
        ...


@dataclass(frozen=True)
class Gateway:
    """The parts of one gateway."""

    settings: Settings
    broker: Broker
    dubs: DubStore
    media: MediaStore
    triton: TritonAdmin
    probe: Probe
    metrics: GatewayMetrics
    upload_dir: Path
    """Uploads lie here until they are stored, each in a folder of its own."""
    probe_limiter: CapacityLimiter
    broker_limiter: CapacityLimiter
    models: ModelAdmin | None = None
    """None: this gateway only tells what Triton serves."""


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


GatewayDep = Annotated[Gateway, Depends(_gateway)]
