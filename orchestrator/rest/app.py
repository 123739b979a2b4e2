"""The gateway's application: wires the parts, knows every route file, starts and ends the background work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio
from anyio import CapacityLimiter
from fastapi import FastAPI

from orchestrator.media.probe import probe as probe_clip
from orchestrator.models.admin import ModelAdmin
from orchestrator.queues.broker import Broker
from orchestrator.rest import (
    background,
    problems,
    routes_artefacts,
    routes_corrections,
    routes_dubs,
    routes_events,
    routes_models,
    routes_page,
    routes_service,
)
from orchestrator.rest.context import BROKER_CALLS_AT_ONCE, PROBES_AT_ONCE, Gateway, Probe, TritonAdmin
from orchestrator.rest.metrics import GatewayMetrics
from orchestrator.rest.middleware import LingeringClose, RequestTimer, SecurityHeaders, Traced
from orchestrator.settings import Settings
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore

_TITLE = "Polylip"
_DESCRIPTION = "Dubs a talking-head video into another language and moves the lips to match."


def create_app(
    settings: Settings,
    *,
    broker: Broker,
    dubs: DubStore,
    media: MediaStore,
    triton: TritonAdmin,
    probe: Probe = probe_clip,
    models: ModelAdmin | None = None,
) -> FastAPI:
    """Make the application. Broker, stores and `models` are the caller's to close."""
    gateway = Gateway(
        settings=settings,
        broker=broker,
        dubs=dubs,
        media=media,
        triton=triton,
        probe=probe,
        metrics=GatewayMetrics(dubs),
        upload_dir=settings.session.work_dir / "uploads",
        probe_limiter=CapacityLimiter(PROBES_AT_ONCE),
        broker_limiter=CapacityLimiter(BROKER_CALLS_AT_ONCE),
        models=models,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            background.start(tasks, gateway)
            yield
            tasks.cancel_scope.cancel()
        await triton.close()  # its channel belongs to this event loop

    # FastAPI's own /docs loads scripts from another host
    app = FastAPI(
        title=_TITLE,
        description=_DESCRIPTION,
        version=version("polylip"),
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.gateway = gateway
    problems.install(app)
    routes = (
        routes_dubs,
        routes_events,
        routes_artefacts,
        routes_corrections,
        routes_service,
        routes_models,
        routes_page,
    )
    for module in routes:
        app.include_router(module.router)
    routes_page.mount_static(app)
    app.add_middleware(Traced)
    app.add_middleware(RequestTimer, metrics=gateway.metrics)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(LingeringClose)
    return app
