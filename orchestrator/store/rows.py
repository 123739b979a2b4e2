"""Reading and changing single rows of `dubs` inside a caller's transaction."""

import uuid
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from orchestrator.clock import now_ms
from orchestrator.errors import DubNotFound
from orchestrator.media.clip import ClipInfo
from orchestrator.store import eventlog
from orchestrator.store.schema import Dub, NewDub, WebhookState, dub_from_row, dubs
from orchestrator.store.states import ACTIVE_STATES, DubState, check_transition


def clip_facts(clip: ClipInfo) -> dict[str, Any]:
    """Return the probe's findings as JSON; fractions as text ("25/1")."""
    return {name: str(value) if isinstance(value, Fraction) else value for name, value in asdict(clip).items()}


def first_values(new: NewDub, at_ms: int) -> dict[str, Any]:
    """Return the row of a dub that was just accepted."""
    webhook_state = WebhookState.WAITING if new.webhook else WebhookState.NONE
    return asdict(new) | {
        "state": DubState.QUEUED,
        "created_at_ms": at_ms,
        "updated_at_ms": at_ms,
        "summary": {},
        "webhook_state": webhook_state,
    }


def find(connection: sa.Connection, dub_id: uuid.UUID, *, lock: bool = False) -> Dub | None:
    """Read one row, erased or not; `lock` keeps others from changing it (SQLite: the transaction does)."""
    query = sa.select(dubs).where(dubs.c.id == dub_id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return dub_from_row(row) if row is not None else None


def load(connection: sa.Connection, dub_id: uuid.UUID, *, lock: bool = False) -> Dub:
    """Read one row; raises DubNotFound."""
    dub = find(connection, dub_id, lock=lock)
    if dub is None:
        raise DubNotFound(f"there is no dub {dub_id}")
    return dub


def move(connection: sa.Connection, dub: Dub, state: DubState, **values: object) -> Dub:
    """Change the state, the only way there is: checked, timed, and told as an event."""
    check_transition(dub.state, state)
    at_ms = now_ms()
    if state.final:
        values |= {"finished_at_ms": at_ms, "webhook_due_at_ms": at_ms}
    update(connection, dub.id, state=state, updated_at_ms=at_ms, **values)
    moved = load(connection, dub.id)
    eventlog.append_state(connection, dub.id, state, moved.error_code, moved.error_detail)
    return moved


def update(connection: sa.Connection, dub_id: uuid.UUID, **values: object) -> None:
    """Change columns."""
    connection.execute(dubs.update().where(dubs.c.id == dub_id).values(**values))


def by_key(connection: sa.Connection, idempotency_key: str | None) -> Dub | None:
    """Read the dub that holds an idempotency key; None has none."""
    if idempotency_key is None:
        return None
    row = connection.execute(sa.select(dubs).where(dubs.c.idempotency_key == idempotency_key)).first()
    return dub_from_row(row) if row is not None else None


def active(connection: sa.Connection) -> int:
    """Count the dubs that are queued or running."""
    query = sa.select(sa.func.count()).where(dubs.c.state.in_(ACTIVE_STATES))
    return connection.execute(query).scalar_one()
