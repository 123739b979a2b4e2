"""What the service is and can do: models, languages, health, metrics."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from client.contracts import EngineStatus, Task
from client.errors import EngineError
from client.licences import licence_of
from orchestrator.errors import BrokerError
from orchestrator.languages import chosen_engines, required_engines
from orchestrator.models.repository import is_candidate
from orchestrator.rest.admission import check_broker
from orchestrator.rest.context import Gateway, GatewayDep
from orchestrator.rest.offers import missing_engines, read_offer
from orchestrator.rest.problems import RETRY_AFTER_S

router = APIRouter(tags=["service"])


class LicenceView(BaseModel):
    """Under which terms a model may be used (docs/PULL.md)."""

    identifier: str
    """SPDX's where there is one, `LicenseRef-...` where not; `not-stated`."""
    name: str
    commercial_use: bool | None
    """None: nobody says, so nobody may count on it."""
    meaning: str
    url: str
    source: str
    """Who made the model, and where it comes from."""


class ModelView(BaseModel):
    """One model as Triton's repository index tells it."""

    name: str
    version: str
    ready: bool
    reason: str
    """Why it is not ready."""
    tasks: list[Task]
    """Served by it unless a request says otherwise."""
    licence: LicenceView
    """Of the version, as far as the gateway sees the model repository; else of all that has this name."""


class ModelsView(BaseModel):
    """All models."""

    models: list[ModelView]


class PairView(BaseModel):
    """A direction, ISO 639-1."""

    source: str
    target: str


class LanguagesView(BaseModel):
    """What can be dubbed into what, by the configured engines."""

    pairs: list[PairView]
    detects_source: bool
    """A request may leave the source language out, and it is detected."""
    default_source: str
    """Assumed otherwise."""


class ReadyView(BaseModel):
    """Whether new dubs would be accepted and worked on."""

    ready: bool
    missing: list[str]


@router.get("/v1/models", summary="Models")
async def models(gateway: GatewayDep) -> ModelsView:
    """Return what Triton serves, and which task is configured to use it."""
    engines = chosen_engines(gateway.settings.engines, {})
    statuses = [each for each in await gateway.triton.statuses() if not is_candidate(each.name)]
    repository = gateway.settings.models.repository
    return await run_in_threadpool(
        lambda: ModelsView(models=[_model_view(status, engines, repository) for status in statuses])
    )


@router.get("/v1/languages", summary="Language pairs")
async def languages(gateway: GatewayDep) -> LanguagesView:
    """Return the directions that the configured engines offer."""
    offer = await read_offer(gateway.triton, required_engines(gateway.settings.engines, {}))
    return LanguagesView(
        pairs=[PairView(source=pair.source, target=pair.target) for pair in offer.pairs],
        detects_source=offer.detects_source,
        default_source=gateway.settings.source_language,
    )


@router.get("/healthz", summary="Is the gateway alive?")
async def healthz() -> dict[str, str]:
    """Answer as long as the event loop turns."""
    return {"status": "ok"}


@router.get("/readyz", response_model=ReadyView, responses={503: {"model": ReadyView}}, summary="Is everything there?")
async def readyz(gateway: GatewayDep) -> JSONResponse:
    """Answer 200 when broker, Triton and the configured engines are there; 503 naming what is missing otherwise."""
    missing = await _missing(gateway)
    view = ReadyView(ready=not missing, missing=missing).model_dump()
    return JSONResponse(view, 503, {"Retry-After": str(RETRY_AFTER_S)}) if missing else JSONResponse(view)


@router.get("/metrics", include_in_schema=False)
def metrics(gateway: GatewayDep) -> Response:
    """Return the metrics for Prometheus."""
    return Response(gateway.metrics.render(), media_type=CONTENT_TYPE_LATEST)


async def _missing(gateway: Gateway) -> list[str]:
    missing = []
    try:
        await check_broker(gateway)
    except BrokerError as error:
        missing.append(f"broker: {error}")
    try:
        statuses: Sequence[EngineStatus] = await gateway.triton.statuses()
    except EngineError as error:
        return [*missing, f"triton: {error}"]
    required = required_engines(gateway.settings.engines, {}).values()
    return [*missing, *(str(error) for error in missing_engines(statuses, required))]


def _model_view(status: EngineStatus, engines: dict[Task, str], repository: Path) -> ModelView:
    tasks = [task for task, model in engines.items() if model == status.name]
    found = licence_of(status.name, status.version, repository)
    licence = LicenceView(**asdict(found.licence), source=found.source)
    return ModelView(
        name=status.name, version=status.version, ready=status.ready, reason=status.reason, tasks=tasks, licence=licence
    )
