"""What a dub has made, and the clip that it was made of."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from orchestrator.errors import BadRequest
from orchestrator.rest.context import Gateway, GatewayDep
from orchestrator.rest.ranges import Conditions, serve_bytes
from orchestrator.rest.views import SUBTITLES_SRT, SUBTITLES_VTT
from orchestrator.store.artefacts import LANGUAGE_PATTERN, Artefact, in_revision
from orchestrator.store.schema import Dub

router = APIRouter(prefix="/v1/dubs/{dub_id}", tags=["artefacts"])

Language = Annotated[str | None, Query(pattern=f"^{LANGUAGE_PATTERN}$", description="Default: the target language.")]
RangeHeader = Annotated[str | None, Header(alias="Range")]
IfRange = Annotated[str | None, Header()]
IfNoneMatch = Annotated[str | None, Header()]


@router.get("/result.mp4", summary="The dubbed clip")
def result(
    dub_id: uuid.UUID,
    gateway: GatewayDep,
    range_: RangeHeader = None,
    if_range: IfRange = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return the dubbed clip; a Range is honoured, so players can seek."""
    return _serve(gateway, dub_id, Artefact.RESULT, "video/mp4", Conditions(range_, if_range, if_none_match))


@router.get("/clip", summary="The source clip")
def clip(
    dub_id: uuid.UUID,
    gateway: GatewayDep,
    range_: RangeHeader = None,
    if_range: IfRange = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return the clip as it was uploaded; a Range is honoured."""
    kind = _video_type(gateway.dubs.get(dub_id))
    return _serve(gateway, dub_id, Artefact.CLIP, kind, Conditions(range_, if_range, if_none_match))


@router.get(f"/{SUBTITLES_SRT}", summary="Subtitles, SubRip")
def subtitles_srt(dub_id: uuid.UUID, gateway: GatewayDep, language: Language = None) -> Response:
    """Return the subtitles as SubRip."""
    name = _subtitles(gateway, dub_id, Artefact.SUBTITLES_SRT, language)
    return _serve(gateway, dub_id, name, "application/x-subrip; charset=utf-8")


@router.get(f"/{SUBTITLES_VTT}", summary="Subtitles, WebVTT")
def subtitles_vtt(dub_id: uuid.UUID, gateway: GatewayDep, language: Language = None) -> Response:
    """Return the subtitles as WebVTT."""
    name = _subtitles(gateway, dub_id, Artefact.SUBTITLES_VTT, language)
    return _serve(gateway, dub_id, name, "text/vtt; charset=utf-8")


@router.get("/segments.json", summary="Sentences with their times")
def segments(dub_id: uuid.UUID, gateway: GatewayDep) -> Response:
    """Return what was heard and what is said instead, sentence by sentence."""
    return _serve(gateway, dub_id, Artefact.SEGMENTS, "application/json")


@router.get("/report.json", summary="Report")
def report(dub_id: uuid.UUID, gateway: GatewayDep) -> Response:
    """Return how the dub went: times per stage, decisions, figures."""
    return _serve(gateway, dub_id, Artefact.REPORT, "application/json")


def _serve(
    gateway: Gateway, dub_id: uuid.UUID, name: str, media_type: str, conditions: Conditions | None = None
) -> Response:
    dub = gateway.dubs.get(dub_id)  # an erased one has nothing to give, even while a late file is still swept away
    if name != Artefact.CLIP:
        name = in_revision(name, dub.revision)
    return serve_bytes(gateway.media, dub_id, name, media_type, conditions or Conditions())


def _subtitles(gateway: Gateway, dub_id: uuid.UUID, kind: Artefact, language: str | None) -> str:
    try:
        return kind.in_language(language or gateway.dubs.get(dub_id).target_language)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _video_type(dub: Dub) -> str:
    """Return the media type of the clip, by what the probe found and never by its name."""
    containers = set(str(dub.clip["container"]).split(","))
    if "mp4" in containers:
        return "video/mp4"
    if "webm" in containers:
        return "video/webm" if dub.clip["video_codec"] in ("vp8", "vp9", "av1") else "video/x-matroska"
    return "application/octet-stream"
