"""What the gateway does by itself: publish again what a crash left behind, send webhooks, let go of what is old."""

import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import anyio
import structlog
from anyio import to_thread
from anyio.abc import TaskGroup

from client.errors import PolylipError
from orchestrator.clock import now_ms
from orchestrator.queues import topology
from orchestrator.queues.broker import QueueSpec
from orchestrator.rest.admission import publish_job
from orchestrator.rest.context import Gateway
from orchestrator.rest.upload import UPLOAD_PREFIX
from orchestrator.rest.webhooks import send_due

log = structlog.get_logger()

RETRY_S = 2.0
WEBHOOK_POLL_S = 1.0
SWEEP_S = 60.0
RETIRE_S = 10.0
RETIRED_BY = "gateway"
LATE_FILES_MS = 15 * 60_000
"""An owner that learns late of a cancellation may still store a file: erased dubs are swept again for so long."""
ORPHAN_MS = 60 * 60_000
"""Media without a row, and uploads without a request, were left by a crash if they are so old."""


def start(tasks: TaskGroup, gateway: Gateway) -> None:
    """Start all background work; cancelling `tasks` ends it."""
    tasks.start_soon(republish, gateway, now_ms())
    tasks.start_soon(_repeat, "webhooks", WEBHOOK_POLL_S, lambda: send_due(gateway))
    tasks.start_soon(_repeat, "sweep", SWEEP_S, lambda: to_thread.run_sync(sweep, gateway, now_ms()))
    if gateway.models is not None:
        models = gateway.models
        tasks.start_soon(_repeat, "retire", RETIRE_S, lambda: to_thread.run_sync(models.retire, RETIRED_BY))


async def republish(gateway: Gateway, started_at_ms: int) -> None:
    """Declare the queue and publish every job that was accepted before this start but perhaps never confirmed.

    Goes on until the broker has taken them all. A job that had arrived arrives twice: owners claim a dub only once.
    """
    while True:
        try:
            await to_thread.run_sync(gateway.broker.declare, QueueSpec(topology.JOBS), limiter=gateway.broker_limiter)
            for dub in await to_thread.run_sync(gateway.dubs.unpublished, started_at_ms):
                await publish_job(gateway, dub)
                log.info("published again", dub=str(dub.id))
            for render in await to_thread.run_sync(gateway.dubs.renders.unpublished, started_at_ms):
                dub = await to_thread.run_sync(gateway.dubs.get, render.dub_id)
                await publish_job(gateway, dub, render=render.id)
                log.info("published again", dub=str(dub.id), render=render.id)
            return
        except PolylipError as error:
            log.warning("cannot publish yet", reason=str(error))
            await anyio.sleep(RETRY_S)


def sweep(gateway: Gateway, at_ms: int) -> None:
    """Erase what has outlived its retention or its request; runs again after a crash at any point of it."""
    retention_ms = round(gateway.settings.store.retention_hours * 3_600_000)
    for dub in gateway.dubs.expired(at_ms - retention_ms):
        gateway.dubs.erase(dub.id)
        gateway.media.delete(dub.id)
    for dub in gateway.dubs.erased(at_ms - LATE_FILES_MS, at_ms):
        gateway.media.delete(dub.id)
    for dub in gateway.dubs.erased(0, at_ms - max(retention_ms, LATE_FILES_MS)):
        gateway.media.delete(dub.id)
        gateway.dubs.discard(dub.id)
    for dub_id in gateway.media.dubs_before(at_ms - ORPHAN_MS):
        if not gateway.dubs.exists(dub_id):
            gateway.media.delete(dub_id)
    _sweep_uploads(gateway.upload_dir, at_ms - ORPHAN_MS)


def _sweep_uploads(upload_dir: Path, changed_before_ms: int) -> None:
    for folder in upload_dir.glob(f"{UPLOAD_PREFIX}*"):
        with suppress(FileNotFoundError):  # its request has just ended
            newest_ns = max(path.stat().st_mtime_ns for path in (folder, *folder.iterdir()))
            if newest_ns // 1_000_000 < changed_before_ms:
                shutil.rmtree(folder)


async def _repeat(name: str, pause_s: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await work()
        except PolylipError as error:
            log.warning("background work failed", work=name, reason=str(error))
        except Exception:  # the one broad catch: a fault of ours must not end the gateway's housekeeping
            log.exception("background work failed", work=name)
        await anyio.sleep(pause_s)
