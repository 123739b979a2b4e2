"""What happens to a dub, live, as server-sent events that can be taken up again where they broke off."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from anyio import to_thread
from fastapi import APIRouter, Header, Query, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from orchestrator.errors import BadRequest
from orchestrator.rest.context import Gateway, GatewayDep
from orchestrator.rest.views import event_view

router = APIRouter(prefix="/v1/dubs", tags=["dubs"])

POLL_S = 0.2
"""The owner writes to the same database from another process; a look costs well under a millisecond."""


@router.get("/{dub_id}/events", response_class=EventSourceResponse, summary="Progress as server-sent events")
async def dub_events(
    dub_id: uuid.UUID,
    gateway: GatewayDep,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int, Query(ge=0, lt=10**18, description="As Last-Event-ID, which wins over it.")] = 0,
) -> Response:
    """Tell all events after Last-Event-ID, then each as it happens, and end with the final state.

    Three kinds: `state` (state, error, at_ms), `progress` (stage, progress 0..1, message, at_ms), and for renders of
    corrections `render` (id, state, revision, error, at_ms), with whose final state the stream ends as well. 204 when
    all of that was told already: browsers then stop asking.
    """
    after = _event_id(last_event_id) or after
    await to_thread.run_sync(gateway.dubs.get, dub_id)
    if await to_thread.run_sync(_is_over, gateway, dub_id, after):
        return Response(status_code=204)
    return EventSourceResponse(_stream(gateway, dub_id, after))


async def _stream(gateway: Gateway, dub_id: uuid.UUID, after: int) -> AsyncIterator[ServerSentEvent]:
    while True:
        events = await to_thread.run_sync(gateway.dubs.events.after, dub_id, after)
        for event in events:
            after = event.id
            yield ServerSentEvent(json.dumps(event_view(event)), event=event.kind, id=str(event.id))
        if events:
            continue
        if await to_thread.run_sync(_is_over, gateway, dub_id, after):
            return
        await anyio.sleep(POLL_S)


def _is_over(gateway: Gateway, dub_id: uuid.UUID, after: int) -> bool:
    """Nothing is at work, and nothing happened after the event `after` (asked last: a state comes with its event)."""
    if gateway.dubs.is_active(dub_id) or gateway.dubs.renders.active(dub_id) is not None:
        return False
    return not gateway.dubs.events.after(dub_id, after, limit=1)


def _event_id(text: str | None) -> int:
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 18:
        raise BadRequest("Last-Event-ID is no event's id")
    return int(text)
