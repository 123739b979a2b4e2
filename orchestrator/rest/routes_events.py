"""What happens to a dub, live, as server-sent events that can be taken up again where they broke off."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from anyio import to_thread
from fastapi import APIRouter, Header, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from orchestrator.errors import BadRequest
from orchestrator.rest.context import Gateway, GatewayDep
from orchestrator.rest.views import event_view
from orchestrator.store.schema import DubEvent, EventKind
from orchestrator.store.states import DubState

router = APIRouter(prefix="/v1/dubs", tags=["dubs"])

POLL_S = 0.2
"""The owner writes to the same database from another process; a look costs well under a millisecond."""


@router.get("/{dub_id}/events", response_class=EventSourceResponse, summary="Progress as server-sent events")
async def dub_events(
    dub_id: uuid.UUID, gateway: GatewayDep, last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """Tell all events after Last-Event-ID, then each as it happens, and end with the final state.

    Two kinds: `state` (state, error, at_ms) and `progress` (stage, progress 0..1, message, at_ms). 204 when the final
    state was told already: browsers then stop asking.
    """
    after = _event_id(last_event_id)
    dub = await to_thread.run_sync(gateway.dubs.get, dub_id)
    if dub.state.final and not await to_thread.run_sync(gateway.dubs.events.after, dub_id, after):
        return Response(status_code=204)
    return EventSourceResponse(_stream(gateway, dub_id, after))


async def _stream(gateway: Gateway, dub_id: uuid.UUID, after: int) -> AsyncIterator[ServerSentEvent]:
    while True:
        events = await to_thread.run_sync(gateway.dubs.events.after, dub_id, after)
        for event in events:
            after = event.id
            yield ServerSentEvent(json.dumps(event_view(event)), event=event.kind, id=str(event.id))
            if _is_last(event):
                return
        if not events:
            await anyio.sleep(POLL_S)


def _is_last(event: DubEvent) -> bool:
    return event.kind is EventKind.STATE and DubState(event.data["state"]).final


def _event_id(text: str | None) -> int:
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 18:
        raise BadRequest("Last-Event-ID is no event's id")
    return int(text)
