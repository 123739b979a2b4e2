"""Correct a sentence of a finished dub, and render the dub again."""

import json
import re
import uuid
from http import HTTPStatus
from typing import Annotated, Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, Header, Path, Request
from starlette.responses import JSONResponse, Response

from client.errors import PolylipError
from orchestrator.corrections import Correction
from orchestrator.errors import CorrectionRefused, DubNotFinished
from orchestrator.rest.admission import check_broker, publish_job
from orchestrator.rest.context import Gateway, GatewayDep
from orchestrator.rest.upload import IDLE_TIMEOUT_S
from orchestrator.rest.views import (
    CorrectionsView,
    CorrectionView,
    RenderView,
    correction_view,
    links_of,
    render_view,
)
from orchestrator.speakers import Scene
from orchestrator.store.schema import Dub, Render
from orchestrator.store.states import DubState

router = APIRouter(prefix="/v1/dubs/{dub_id}", tags=["corrections"])

BODY_BYTES = 16 * 1024
_PATCH: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/merge-patch+json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "text": {"type": ["string", "null"], "description": "What is really said: translated anew."},
                        "translation": {"type": ["string", "null"], "description": "What the dub says, word for word."},
                        "speaker": {
                            "type": ["integer", "null"],
                            "minimum": 0,
                            "description": "Whose lips move: a track of report.json, 0 for nobody's.",
                        },
                        "skip": {"type": ["boolean", "null"], "description": "Keep the sentence's own sound."},
                    },
                }
            }
        },
    }
}


@router.get("/corrections", summary="What is corrected, and the newest render")
def get_corrections(dub_id: uuid.UUID, request: Request, gateway: GatewayDep) -> CorrectionsView:
    """Return all corrections, rendered or not yet, and how the newest render goes."""
    dub = gateway.dubs.get(dub_id)
    links = links_of(request, gateway.settings.gateway, dub_id)
    render = gateway.dubs.renders.latest(dub_id)
    shown = gateway.dubs.renders.shown(dub_id)
    return CorrectionsView(
        revision=dub.revision,
        corrections=[correction_view(item, shown) for item in gateway.dubs.renders.corrections(dub_id)],
        render=render_view(render, links["events"]) if render is not None else None,
    )


@router.patch("/segments/{number}", openapi_extra=_PATCH, summary="Correct a sentence", response_model=CorrectionView)
async def correct_segment(
    dub_id: uuid.UUID,
    number: Annotated[int, Path(description="`sequence` of the sentence in segments.json.")],
    request: Request,
    gateway: GatewayDep,
    if_match: Annotated[str | None, Header(description='"<version>" of the correction that is changed.')] = None,
) -> Response:
    """Change what is said for a sentence, by a JSON merge patch: null takes a field back. A render carries it out."""
    patch = await _patch_of(request)
    version = _version_of(if_match)

    def correct() -> Response:
        dub = gateway.dubs.get(dub_id)
        if dub.state is not DubState.SUCCEEDED:
            raise DubNotFinished(f"the dub is {dub.state}; only one that has succeeded can be corrected")
        scene = Scene.read(gateway.media, dub.id, dub.revision)
        sentence = scene.sentence(number)

        def change(before: Correction) -> Correction:
            after = before.changed(patch)
            if "speaker" in patch:
                scene.check(sentence, after.speaker)
            return after

        corrected = gateway.dubs.renders.correct(dub_id, sentence.segment_id, number, change, version)
        view = correction_view(corrected, gateway.dubs.renders.shown(dub_id))
        return JSONResponse(view.model_dump(mode="json"), headers={"ETag": f'"{corrected.version}"'})

    return await to_thread.run_sync(correct)


@router.post("/render", status_code=202, summary="Render the corrected dub", response_model=RenderView)
async def create_render(
    dub_id: uuid.UUID,
    request: Request,
    gateway: GatewayDep,
    traceparent: Annotated[str, Header(description="W3C Trace Context.")] = "",
) -> Response:
    """Do again what the corrections change, and nothing else; until it is done the dub stays as it is.

    202 with the render that is queued or running already, if it is for the same corrections. 200 when what is shown
    has them all.
    """
    before = await to_thread.run_sync(gateway.dubs.get, dub_id)
    await check_broker(gateway)
    events_after = await to_thread.run_sync(gateway.dubs.events.last_id, dub_id)
    most = gateway.settings.gateway.max_active_dubs
    render, new = await to_thread.run_sync(gateway.dubs.renders.request, dub_id, most)
    if new:
        assert render is not None
        await _publish(gateway, before, render, traceparent)
    events = f"{links_of(request, gateway.settings.gateway, dub_id)['events']}?after={events_after if new else 0}"
    if render is None:
        raise CorrectionRefused("nothing is corrected: there is nothing to render")
    status = HTTPStatus.OK if render.state.final else HTTPStatus.ACCEPTED
    return JSONResponse(render_view(render, events).model_dump(mode="json"), status)


@router.delete("/render", status_code=204, summary="Cancel the render")
def cancel_render(dub_id: uuid.UUID, gateway: GatewayDep) -> None:
    """Cancel the render that is queued or running, if there is one; the dub stays as it was."""
    gateway.dubs.get(dub_id)
    gateway.dubs.renders.cancel(dub_id)


async def _publish(gateway: Gateway, dub: Dub, render: Render, traceparent: str) -> None:
    try:
        await publish_job(gateway, dub, traceparent, render.id)
    except PolylipError:
        await to_thread.run_sync(gateway.dubs.renders.cancel, dub.id)  # nobody was promised it
        raise


async def _patch_of(request: Request) -> dict[str, Any]:
    body = b""
    try:
        with anyio.fail_after(IDLE_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES:
                    raise CorrectionRefused(f"the correction has more than {BODY_BYTES} bytes")
        patch = json.loads(body)
    except TimeoutError as error:
        raise CorrectionRefused("the correction did not come to its end") from error
    except (ValueError, RecursionError) as error:
        raise CorrectionRefused(f"not JSON ({error})") from error
    if not isinstance(patch, dict):
        raise CorrectionRefused('must be a JSON object such as {"translation": "Hola."}')
    return patch


def _version_of(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = re.fullmatch(r'\s*"(\d{1,9})"\s*', if_match)
    if match is None:
        raise CorrectionRefused('If-Match: must be the ETag of a correction such as "1", or "0" before the first')
    return int(match[1])
