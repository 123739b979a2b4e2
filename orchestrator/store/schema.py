"""The tables of the job store, and the frozen records that are read from them. All times are Unix time in ms."""

import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from orchestrator.corrections import Correction
from orchestrator.store.artefacts import FIRST_REVISION
from orchestrator.store.states import DubState

metadata = sa.MetaData()

_EventId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts up only INTEGER keys."""

dubs = sa.Table(
    "dubs",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_at_ms", sa.BigInteger, nullable=False),
    sa.Column("finished_at_ms", sa.BigInteger),
    sa.Column("erased_at_ms", sa.BigInteger, index=True),
    sa.Column("published", sa.Boolean, nullable=False, default=False),
    sa.Column("owner", sa.String(255), nullable=False, default=""),
    sa.Column("source_language", sa.String(8), nullable=False),
    sa.Column("target_language", sa.String(8), nullable=False),
    sa.Column("engines", sa.JSON, nullable=False),
    sa.Column("face", sa.String(64), nullable=False, server_default=""),
    sa.Column("background", sa.String(16), nullable=False, server_default=""),
    sa.Column("glossary", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("revision", sa.Integer, nullable=False, default=FIRST_REVISION, server_default=str(FIRST_REVISION)),
    sa.Column("clip_name", sa.Text, nullable=False),
    sa.Column("clip", sa.JSON, nullable=False),
    sa.Column("idempotency_key", sa.String(255), unique=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("error_code", sa.String(64)),
    sa.Column("error_detail", sa.Text),
    sa.Column("summary", sa.JSON, nullable=False),
    sa.Column("webhook", sa.Text),
    sa.Column("webhook_state", sa.String(16), nullable=False, index=True),
    sa.Column("webhook_attempts", sa.Integer, nullable=False, default=0),
    sa.Column("webhook_due_at_ms", sa.BigInteger, nullable=False, default=0),
    sa.Column("webhook_outcome", sa.Text),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", _EventId, primary_key=True, autoincrement=True),
    sa.Column("dub_id", sa.Uuid, sa.ForeignKey("dubs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(32), nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Index("events_of_dub", "dub_id", "id"),
    sqlite_autoincrement=True,  # an id is never used again, so Last-Event-ID stays true after an erasure
)

corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("dub_id", sa.Uuid, sa.ForeignKey("dubs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("segment_id", sa.Uuid, primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("correction", sa.JSON, nullable=False),
)

renders = sa.Table(
    "renders",
    metadata,
    sa.Column("id", _EventId, primary_key=True, autoincrement=True),
    sa.Column("dub_id", sa.Uuid, sa.ForeignKey("dubs.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("corrections", sa.JSON, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("owner", sa.String(255), nullable=False, default=""),
    sa.Column("published", sa.Boolean, nullable=False, default=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("finished_at_ms", sa.BigInteger),
    sa.Column("error_code", sa.String(64)),
    sa.Column("error_detail", sa.Text),
    sqlite_autoincrement=True,
)


pins = sa.Table(
    "pins",
    metadata,
    sa.Column("session_id", sa.Uuid, primary_key=True),
    sa.Column("model", sa.String(255), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("since_ms", sa.BigInteger, nullable=False),
)


class WebhookState(StrEnum):
    """What became of a dub's webhook."""

    NONE = "none"
    """None was asked for."""
    WAITING = "waiting"
    """It is sent when the dub is final, and again until it is taken or given up."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after the last try."""


class EventKind(StrEnum):
    """What an event tells."""

    STATE = "state"
    """`data["state"]` is the dub's new state; `data["error"]` says why it failed."""
    PROGRESS = "progress"
    """`stage` has come to `progress`."""
    RENDER = "render"
    """A render of a finished dub: `data` has its `id`, `state`, `revision`, and `error` when it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDub:
    """What is known of a dub when it is accepted."""

    id: uuid.UUID
    source_language: str
    """ISO 639-1; "" = detect."""
    target_language: str
    engines: dict[str, str]
    """Task -> Triton model, where the request asks for another engine than the settings."""
    clip_name: str
    """The file's name as uploaded: text to show, never a path."""
    clip: dict[str, Any]
    """`clip_facts` of the probe's findings."""
    fingerprint: str
    """SHA-256 over the request's fields and the clip's bytes, hexadecimal."""
    idempotency_key: str | None = None
    webhook: str | None = None
    face: str = ""
    """Whose lips move, as the request says (face_choice.py); "" = the one who speaks."""
    background: str = ""
    """What becomes of the source's sound, likewise (background_choice.py); "" = what the settings say."""
    glossary: dict[str, str] = field(default_factory=dict)
    """Term -> its translation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dub(NewDub):
    """One dub as it stands."""

    state: DubState
    created_at_ms: int
    updated_at_ms: int
    finished_at_ms: int | None
    erased_at_ms: int | None
    """Its media were erased: for users it is no longer there."""
    published: bool
    """The broker has confirmed the job."""
    owner: str
    """Session owner that claimed it last; "" before."""
    error_code: str | None
    error_detail: str | None
    summary: dict[str, Any]
    """What the owner said of the result."""
    webhook_state: WebhookState
    webhook_attempts: int
    webhook_due_at_ms: int
    webhook_outcome: str | None
    """Of the last try, e.g. "HTTP 200"."""
    revision: int = FIRST_REVISION
    """Of the artefacts that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a person said against one sentence."""

    segment_id: uuid.UUID
    sequence: int
    version: int
    """Grows with each change."""
    correction: Correction


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """One render of a finished dub: its sentences as corrected when it was asked for."""

    id: int
    dub_id: uuid.UUID
    state: DubState
    corrections: dict[str, dict[str, Any]]
    """Segment id -> `Correction.stored`."""
    revision: int
    """That it makes."""
    owner: str
    published: bool
    """The broker has confirmed its job."""
    created_at_ms: int
    finished_at_ms: int | None
    error_code: str | None
    error_detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DubEvent:
    """One thing that happened to a dub; ids grow within a dub."""

    id: int
    dub_id: uuid.UUID
    kind: EventKind
    stage: str
    """"" for a change of state."""
    progress: float
    """0..1."""
    message: str
    data: dict[str, Any] = field(default_factory=dict)
    at_ms: int


def dub_from_row(row: sa.Row[Any]) -> Dub:
    """Make the record of one row of `dubs`."""
    values = dict(row._mapping)
    values["state"] = DubState(values["state"])
    values["webhook_state"] = WebhookState(values["webhook_state"])
    return Dub(**values)


def corrected_from_row(row: sa.Row[Any]) -> Corrected:
    """Make the record of one row of `corrections`."""
    correction = msgspec.convert(row.correction, Correction)
    return Corrected(segment_id=row.segment_id, sequence=row.sequence, version=row.version, correction=correction)


def render_from_row(row: sa.Row[Any]) -> Render:
    """Make the record of one row of `renders`."""
    values = dict(row._mapping)
    values["state"] = DubState(values["state"])
    return Render(**values)


def event_from_row(row: sa.Row[Any]) -> DubEvent:
    """Make the record of one row of `events`."""
    values = dict(row._mapping)
    values["kind"] = EventKind(values["kind"])
    return DubEvent(**values)
