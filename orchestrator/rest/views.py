"""What the gateway tells about dubs: the JSON of its answers and events."""

import uuid
from fractions import Fraction
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from orchestrator.rest.problems import TYPE_PREFIX
from orchestrator.settings import GatewaySettings
from orchestrator.store.artefacts import Artefact
from orchestrator.store.schema import Corrected, Dub, DubEvent, EventKind, Render
from orchestrator.store.states import DubState

SUBTITLES_SRT = "subtitles.srt"
SUBTITLES_VTT = "subtitles.vtt"
"""Names over REST; the language is a parameter."""


class ErrorView(BaseModel):
    """Why a dub failed, in the words of a problem document."""

    type: str
    code: str
    detail: str


class ClipView(BaseModel):
    """The source clip."""

    name: str
    """As uploaded: text to show, never a path."""
    duration_s: float
    width: int
    height: int
    """Of the coded picture, before rotation."""
    rotation_deg: int
    frames_per_s: float
    size_bytes: int


class StageView(BaseModel):
    """How far one stage is."""

    stage: str
    progress: float
    """0..1."""
    message: str
    at_ms: int


class AcceptedView(BaseModel):
    """The answer to an accepted request."""

    id: uuid.UUID
    state: DubState
    created_at_ms: int
    links: dict[str, str]


class DubView(AcceptedView):
    """One dub as it stands; times are Unix time in milliseconds."""

    updated_at_ms: int
    finished_at_ms: int | None
    source_language: str
    """ISO 639-1; "" = detected."""
    target_language: str
    engines: dict[str, str]
    face: str
    """Whose lips move, as the request says; "" = the one who speaks."""
    background: str
    """What becomes of the source's sound, as the request says; "" = what the settings say."""
    glossary: dict[str, str]
    """Term -> its translation, as the request says."""
    revision: int
    """Of the artefacts: 1, and one more or several with each render of corrections."""
    clip: ClipView
    stages: list[StageView]
    error: ErrorView | None
    summary: dict[str, Any]
    subtitle_languages: list[str]


class CorrectionView(BaseModel):
    """What a person said against one sentence; a field that is not corrected is null."""

    sequence: int
    """Of the sentence in segments.json."""
    segment_id: uuid.UUID
    version: int
    """Grows with each change; `"<version>"` is the ETag for If-Match."""
    text: str | None
    translation: str | None
    speaker: int | None
    """Number of the face in report.json whose lips move; 0: nobody's."""
    skip: bool
    rendered: bool
    """What is shown says so."""


class RenderView(BaseModel):
    """One render of corrections."""

    id: int
    state: DubState
    revision: int
    """That it makes."""
    created_at_ms: int
    finished_at_ms: int | None
    error: ErrorView | None
    events: str
    """Where to follow it."""


class CorrectionsView(BaseModel):
    """All corrections of a dub."""

    revision: int
    """Of the artefacts that are shown."""
    corrections: list[CorrectionView]
    render: RenderView | None
    """The newest one."""


def links_of(request: Request, settings: GatewaySettings, dub_id: uuid.UUID) -> dict[str, str]:
    """Return every address of a dub; artefacts answer 404 until they are made."""
    base = str(settings.public_url or request.base_url).rstrip("/")
    own = f"{base}/v1/dubs/{dub_id}"
    return {
        "self": own,
        "events": f"{own}/events",
        "clip": f"{own}/{Artefact.CLIP}",
        "result": f"{own}/{Artefact.RESULT}",
        "subtitles_srt": f"{own}/{SUBTITLES_SRT}",
        "subtitles_vtt": f"{own}/{SUBTITLES_VTT}",
        "segments": f"{own}/{Artefact.SEGMENTS}",
        "report": f"{own}/{Artefact.REPORT}",
        "corrections": f"{own}/corrections",
    }


def accepted_view(dub: Dub, links: dict[str, str]) -> AcceptedView:
    """Return the first answer, the same however often a request is repeated."""
    return AcceptedView(id=dub.id, state=DubState.QUEUED, created_at_ms=dub.created_at_ms, links=links)


def dub_view(dub: Dub, stages: list[DubEvent], subtitle_languages: list[str], links: dict[str, str]) -> DubView:
    """Return everything that is known."""
    return DubView(
        id=dub.id,
        state=dub.state,
        created_at_ms=dub.created_at_ms,
        updated_at_ms=dub.updated_at_ms,
        finished_at_ms=dub.finished_at_ms,
        source_language=dub.source_language,
        target_language=dub.target_language,
        engines=dub.engines,
        face=dub.face,
        background=dub.background,
        glossary=dub.glossary,
        revision=dub.revision,
        clip=ClipView(
            name=dub.clip_name,
            duration_s=dub.clip["duration_s"],
            width=dub.clip["width"],
            height=dub.clip["height"],
            rotation_deg=dub.clip["rotation_deg"],
            frames_per_s=round(float(Fraction(dub.clip["frames_per_s"])), 3),
            size_bytes=dub.clip["size_bytes"],
        ),
        stages=[
            StageView(stage=stage.stage, progress=stage.progress, message=stage.message, at_ms=stage.at_ms)
            for stage in stages
        ],
        error=error_view(dub),
        summary=dub.summary,
        subtitle_languages=subtitle_languages,
        links=links,
    )


def correction_view(corrected: Corrected, shown: dict[str, dict[str, Any]]) -> CorrectionView:
    """Return one sentence's correction; `shown`: `RenderStore.shown`."""
    return CorrectionView(
        sequence=corrected.sequence,
        segment_id=corrected.segment_id,
        version=corrected.version,
        text=corrected.correction.text or None,
        translation=corrected.correction.translation or None,
        speaker=corrected.correction.speaker,
        skip=corrected.correction.skip,
        rendered=shown.get(str(corrected.segment_id), {}) == corrected.correction.stored(),
    )


def render_view(render: Render, events: str) -> RenderView:
    """Return one render as it stands; `events`: the address where it can be followed."""
    return RenderView(
        id=render.id,
        state=render.state,
        revision=render.revision,
        created_at_ms=render.created_at_ms,
        finished_at_ms=render.finished_at_ms,
        error=_error(render.error_code, render.error_detail or "") if render.error_code is not None else None,
        events=events,
    )


def error_view(dub: Dub) -> ErrorView | None:
    """Return why the dub failed, if it did."""
    if dub.error_code is None:
        return None
    return _error(dub.error_code, dub.error_detail or "")


def event_view(event: DubEvent) -> dict[str, Any]:
    """Return the data of one server-sent event."""
    if event.kind is EventKind.STATE:
        error = event.data.get("error")
        shown = _error(error["code"], error["detail"]).model_dump() if error else None
        return {"state": event.data["state"], "error": shown, "at_ms": event.at_ms}
    if event.kind is EventKind.RENDER:
        error = event.data.get("error")
        shown = _error(error["code"], error["detail"]).model_dump() if error else None
        return {
            **{name: event.data[name] for name in ("id", "state", "revision")},
            "error": shown,
            "at_ms": event.at_ms,
        }
    return {"stage": event.stage, "progress": event.progress, "message": event.message, "at_ms": event.at_ms}


def _error(code: str, detail: str) -> ErrorView:
    return ErrorView(type=TYPE_PREFIX + code, code=code, detail=detail)
