"""What happened to a dub, in order: the source of server-sent events, of their replay, and of the progress shown."""

import uuid
from typing import Any

import sqlalchemy as sa

from orchestrator.clock import now_ms
from orchestrator.store.database import Database
from orchestrator.store.schema import DubEvent, EventKind, event_from_row
from orchestrator.store.schema import events as events_table
from orchestrator.store.states import DubState


class EventLog:
    """Reads events; they are written together with what they tell (dubs.py)."""

    def __init__(self, database: Database) -> None:
        """Read from the job store's own database."""
        self._database = database

    def after(self, dub_id: uuid.UUID, last_event_id: int = 0, limit: int = 500) -> list[DubEvent]:
        """Return up to `limit` events of the dub whose id is above `last_event_id`, oldest first."""
        query = (
            sa.select(events_table)
            .where(events_table.c.dub_id == dub_id, events_table.c.id > last_event_id)
            .order_by(events_table.c.id)
            .limit(limit)
        )
        return self._all(query)

    def last_id(self, dub_id: uuid.UUID) -> int:
        """Return the id of the dub's newest event; 0 when there is none."""
        query = sa.select(sa.func.max(events_table.c.id)).where(events_table.c.dub_id == dub_id)
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one() or 0

    def stages(self, dub_id: uuid.UUID) -> list[DubEvent]:
        """Return the newest progress of each stage, in the order in which the stages began."""
        newest = (
            sa.select(sa.func.max(events_table.c.id).label("newest"), sa.func.min(events_table.c.id).label("first"))
            .where(events_table.c.dub_id == dub_id, events_table.c.kind == EventKind.PROGRESS)
            .group_by(events_table.c.stage)
            .subquery()
        )
        query = sa.select(events_table).join(newest, events_table.c.id == newest.c.newest).order_by(newest.c.first)
        return self._all(query)

    def _all(self, query: sa.Select[Any]) -> list[DubEvent]:
        with self._database.reading() as connection:
            return [event_from_row(row) for row in connection.execute(query)]


def append_state(
    connection: sa.Connection,
    dub_id: uuid.UUID,
    state: DubState,
    error_code: str | None = None,
    error_detail: str | None = None,
) -> None:
    """Tell a change of state."""
    data: dict[str, Any] = {"state": state.value}
    if error_code is not None:
        data["error"] = {"code": error_code, "detail": error_detail or ""}
    _append(connection, dub_id, EventKind.STATE, "", 1.0 if state is DubState.SUCCEEDED else 0.0, "", data)


def append_progress(
    connection: sa.Connection, dub_id: uuid.UUID, stage: str, fraction: float, message: str, data: dict[str, Any]
) -> None:
    """Tell how far a stage is; `fraction` is held within 0..1."""
    _append(connection, dub_id, EventKind.PROGRESS, stage, min(max(fraction, 0.0), 1.0), message, data)


def append_render(connection: sa.Connection, dub_id: uuid.UUID, data: dict[str, Any], *, done: bool) -> None:
    """Tell a change of state of a render."""
    _append(connection, dub_id, EventKind.RENDER, "", 1.0 if done else 0.0, "", data)


def remove(connection: sa.Connection, dub_id: uuid.UUID) -> None:
    """Forget everything that happened to the dub."""
    connection.execute(events_table.delete().where(events_table.c.dub_id == dub_id))


def remove_progress(connection: sa.Connection, dub_id: uuid.UUID) -> None:
    """Forget all but the changes of state, for those who still listen."""
    connection.execute(
        events_table.delete().where(events_table.c.dub_id == dub_id, events_table.c.kind == EventKind.PROGRESS)
    )


def _append(
    connection: sa.Connection,
    dub_id: uuid.UUID,
    kind: EventKind,
    stage: str,
    progress: float,
    message: str,
    data: dict[str, Any],
) -> None:
    values = {"dub_id": dub_id, "kind": kind, "stage": stage, "progress": progress, "message": message, "data": data}
    connection.execute(events_table.insert().values(at_ms=now_ms(), **values))
