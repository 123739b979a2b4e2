"""Make, look at and delete dubs."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from starlette.responses import JSONResponse

from client.contracts import Task
from client.errors import PolylipError
from orchestrator.rest.admission import admit, check_room, earlier_answer
from orchestrator.rest.context import Gateway, GatewayDep
from orchestrator.rest.fields import check_key, parse_fields
from orchestrator.rest.upload import received
from orchestrator.rest.views import AcceptedView, DubView, accepted_view, dub_view, links_of
from orchestrator.store.artefacts import LANGUAGE_PATTERN, of_revision
from orchestrator.store.schema import Dub

router = APIRouter(prefix="/v1/dubs", tags=["dubs"])

REPLAYED_HEADER = "Idempotent-Replayed"

_LANGUAGE = {"type": "string", "pattern": f"^{LANGUAGE_PATTERN}$", "description": "ISO 639-1, e.g. es"}
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["clip", "target_language"],
                    "properties": {
                        "clip": {"type": "string", "format": "binary", "description": "The video."},
                        "transcript": {
                            "type": "string",
                            "format": "binary",
                            "description": "SubRip (UTF-8) of what is spoken; then nothing is recognised.",
                        },
                        "target_language": _LANGUAGE,
                        "source_language": _LANGUAGE,
                        "engines": {
                            "type": "string",
                            "description": f"JSON object, task ({', '.join(Task)}) to Triton model.",
                        },
                        "face": {
                            "type": "string",
                            "description": 'Whose lips move: a track of an earlier report ("2"), or a box '
                            '"x1,y1,x2,y2" in pixels, perhaps at a time in seconds ("…@12.5").',
                        },
                        "glossary": {
                            "type": "string",
                            "description": 'JSON object, term to the translation it must have: {"dog": "can"}.',
                        },
                        "background": {
                            "type": "string",
                            "description": 'The source\'s sound: "duck" (quieter while somebody speaks), "off", or how '
                            'much quieter in decibels ("-24").',
                        },
                        "webhook": {"type": "string", "format": "uri", "description": "Called when the dub ends."},
                    },
                }
            }
        },
    }
}


@router.post("", status_code=202, response_model=AcceptedView, openapi_extra=_FORM, summary="Dub a clip")
async def create_dub(
    request: Request,
    gateway: GatewayDep,
    idempotency_key: Annotated[str | None, Header(description="Repeat a request safely.")] = None,
    traceparent: Annotated[str, Header(description="W3C Trace Context.")] = "",
) -> Response:
    """Take a clip and queue its dub. A 202 is a promise: the job survives the death of any process."""
    try:
        dub, replayed = await _create(request, gateway, check_key(idempotency_key), traceparent)
    except PolylipError as error:
        gateway.metrics.uploads_rejected.labels(error.code).inc()
        raise
    links = links_of(request, gateway.settings.gateway, dub.id)
    headers = {"Location": links["self"]} | ({REPLAYED_HEADER: "true"} if replayed else {})
    return JSONResponse(accepted_view(dub, links).model_dump(mode="json"), 202, headers)


async def _create(request: Request, gateway: Gateway, key: str | None, traceparent: str) -> tuple[Dub, bool]:
    if key is None:  # a repeated request must get its answer even when no new one is taken
        await check_room(gateway)
    async with received(request, gateway.upload_dir, gateway.settings.media.max_upload_bytes) as upload:
        fields = parse_fields(upload.fields)
        earlier = await earlier_answer(gateway, key, fields.fingerprint(upload.sha256, upload.transcript))
        if earlier is not None:
            return earlier, True
        if key is not None:
            await check_room(gateway)
        return await admit(gateway, upload, fields, key, traceparent)


@router.get("/{dub_id}", summary="State and progress")
def get_dub(request: Request, dub_id: uuid.UUID, gateway: GatewayDep) -> DubView:
    """Return a dub's state, the progress of its stages, and where its artefacts are."""
    dub = gateway.dubs.get(dub_id)
    names = of_revision(gateway.media.names(dub_id), dub.revision) if dub.state.final else []
    languages = subtitle_languages(names)
    links = links_of(request, gateway.settings.gateway, dub_id)
    return dub_view(dub, gateway.dubs.events.stages(dub_id), languages, links)


@router.delete("/{dub_id}", status_code=204, summary="Cancel and erase")
def delete_dub(dub_id: uuid.UUID, gateway: GatewayDep) -> None:
    """Cancel the dub if it is not final, and erase its media. Repeating it changes nothing."""
    gateway.dubs.erase(dub_id)
    gateway.media.delete(dub_id)


def subtitle_languages(names: list[str]) -> list[str]:
    """Return the languages in which there are WebVTT subtitles, of all stored names."""
    return [name.split(".")[1] for name in names if name.startswith("subtitles.") and name.endswith(".vtt")]
