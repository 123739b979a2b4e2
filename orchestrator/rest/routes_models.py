"""Versions of models over REST: what there is, what serves, swap, roll back."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel

from orchestrator.errors import RepositoryUnusable
from orchestrator.models.admin import ModelAdmin, ModelVersions
from orchestrator.models.history import SwapRecord
from orchestrator.rest.context import GatewayDep

T = TypeVar("T")

router = APIRouter(prefix="/v1/models", tags=["service"])

_LIMITER = CapacityLimiter(4)
"""A swap takes a thread for as long as the version takes to load; a second one is refused, so few are enough."""

VersionNumber = Annotated[int, Path(ge=1)]


class VersionRecordView(BaseModel):
    """One line of a model's history."""

    at: str
    """ISO 8601, UTC."""
    action: str
    by: str
    from_version: int | None
    to_version: int | None
    result: str
    """done, refused or reverted."""
    reason: str
    """Why not."""
    checked: str
    """How the version was tried before it served."""
    took_s: float


class ModelVersionsView(BaseModel):
    """One model of the repository."""

    name: str
    versions: list[int]
    """That lie in the repository."""
    served: int | None
    """What callers get; null: it is not served."""
    loaded: list[int]
    """More than the served one while sessions are pinned to an older one."""
    chosen: list[int]
    """That the model's config names."""
    earlier: int | None
    """Where a rollback goes."""
    history: list[VersionRecordView]
    """Oldest first."""


def _model_admin(gateway: GatewayDep) -> ModelAdmin:
    if gateway.models is None:
        raise RepositoryUnusable("this gateway was started without a model repository")
    return gateway.models


AdminDep = Annotated[ModelAdmin, Depends(_model_admin)]


@router.get("/{name}", summary="Versions of a model")
async def model(name: str, admin: AdminDep) -> ModelVersionsView:
    """Return the versions that there are, the one that serves, and what was done to the model."""
    found = await _in_thread(partial(admin.model, name))
    records = await _in_thread(partial(admin.history, name))
    return _view(found, records)


@router.post("/{name}/versions/{version}:activate", summary="Swap")
async def activate(name: str, version: VersionNumber, request: Request, admin: AdminDep) -> VersionRecordView:
    """Have the version serve; answers when it does. It is loaded, warmed up and asked its recorded sample first.

    On any failure what served still serves, and the problem says why.
    """
    return _record_view(await _in_thread(partial(admin.swap, name, version, _who(request))))


@router.post("/{name}:rollback", summary="Roll back")
async def rollback(name: str, request: Request, admin: AdminDep) -> VersionRecordView:
    """Have the version serve that served before."""
    return _record_view(await _in_thread(partial(admin.rollback, name, _who(request))))


async def _in_thread(call: Callable[[], T]) -> T:
    return await to_thread.run_sync(call, limiter=_LIMITER)


def _who(request: Request) -> str:
    return f"rest@{request.client.host}" if request.client is not None else "rest"


def _record_view(record: SwapRecord) -> VersionRecordView:
    return VersionRecordView(
        at=record.at,
        action=record.action,
        by=record.by,
        from_version=record.from_version,
        to_version=record.to_version,
        result=record.result,
        reason=record.reason,
        checked=record.checked,
        took_s=record.took_s,
    )


def _view(found: ModelVersions, records: list[SwapRecord]) -> ModelVersionsView:
    return ModelVersionsView(
        name=found.name,
        versions=list(found.versions),
        served=found.served,
        loaded=list(found.loaded),
        chosen=list(found.chosen),
        earlier=found.earlier,
        history=[_record_view(each) for each in records],
    )
