"""The job store: every dub, its state and what happened to it. Used by gateway and session owner at the same time."""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from orchestrator.clock import now_ms
from orchestrator.errors import DubNotFound, SessionCancelled, TooManyDubs
from orchestrator.store import eventlog, rows
from orchestrator.store.database import Database
from orchestrator.store.eventlog import EventLog
from orchestrator.store.pins import PinStore
from orchestrator.store.renders import RenderStore, forget
from orchestrator.store.schema import Dub, NewDub, WebhookState, dub_from_row
from orchestrator.store.schema import dubs as dubs_table
from orchestrator.store.states import FINAL_STATES, DubState
from orchestrator.store.webhooks import WebhookQueue


class DubStore:
    """All calls are thread-safe, block for milliseconds, and raise StoreUnavailable when the database is away."""

    def __init__(self, database_url: str) -> None:
        """Open (and if need be make) the store at any SQLAlchemy URL; several processes may do so at once."""
        self._database = Database(database_url)
        self.events = EventLog(self._database)
        self.webhooks = WebhookQueue(self._database)
        self.renders = RenderStore(self._database)
        self.pins = PinStore(self._database)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def create(self, new: NewDub, max_active: int | None = None) -> Dub:
        """Insert a queued dub; returns the earlier dub instead (another id) when the idempotency key is taken.

        Raises:
            TooManyDubs: `max_active` dubs are queued or running already.
        """
        try:
            with self._database.writing() as connection:
                earlier = rows.by_key(connection, new.idempotency_key)
                if earlier is not None:
                    return earlier
                if max_active is not None and rows.active(connection) >= max_active:
                    raise TooManyDubs(f"{max_active} dubs are queued or running")
                connection.execute(dubs_table.insert().values(**rows.first_values(new, now_ms())))
                eventlog.append_state(connection, new.id, DubState.QUEUED)
                return rows.load(connection, new.id)
        except IntegrityError:  # another process took the key between our look and our insert
            found = self.by_key(new.idempotency_key)
            if found is None:
                raise
            return found

    def get(self, dub_id: uuid.UUID) -> Dub:
        """Return one dub; raises DubNotFound when there is none, or when it was erased."""
        with self._database.reading() as connection:
            dub = rows.load(connection, dub_id)
        if dub.erased_at_ms is not None:
            raise DubNotFound(f"dub {dub_id} was erased")
        return dub

    def by_key(self, idempotency_key: str | None) -> Dub | None:
        """Return the dub that was created with this key, if any."""
        with self._database.reading() as connection:
            return rows.by_key(connection, idempotency_key)

    def exists(self, dub_id: uuid.UUID) -> bool:
        """Tell whether there is a row, an erased dub's included."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(dubs_table.c.id).where(dubs_table.c.id == dub_id)).first() is not None

    def counts(self) -> dict[DubState, int]:
        """Count the dubs that were not erased, by state; every state is a key."""
        query = (
            sa.select(dubs_table.c.state, sa.func.count())
            .where(dubs_table.c.erased_at_ms.is_(None))
            .group_by(dubs_table.c.state)
        )
        with self._database.reading() as connection:
            found = {DubState(state): number for state, number in connection.execute(query)}
        return {state: found.get(state, 0) for state in DubState}

    def is_active(self, dub_id: uuid.UUID) -> bool:
        """Tell whether the dub is queued or running."""
        with self._database.reading() as connection:
            dub = rows.find(connection, dub_id)
        return dub is not None and not dub.state.final

    def active(self) -> int:
        """Count the dubs that are queued or running."""
        with self._database.reading() as connection:
            return rows.active(connection)

    def mark_published(self, dub_id: uuid.UUID) -> None:
        """Remember that the broker has confirmed the job."""
        with self._database.writing() as connection:
            connection.execute(dubs_table.update().where(dubs_table.c.id == dub_id).values(published=True))

    def unpublished(self, created_before_ms: int) -> list[Dub]:
        """Return queued dubs whose job may never have reached the broker, oldest first."""
        query = (
            sa.select(dubs_table)
            .where(dubs_table.c.state == DubState.QUEUED, dubs_table.c.published.is_(False))
            .where(dubs_table.c.created_at_ms < created_before_ms)
            .order_by(dubs_table.c.created_at_ms)
        )
        return self._all(query)

    def discard(self, dub_id: uuid.UUID) -> None:
        """Remove a dub without a trace: one that was never promised to anybody, or erased long ago."""
        with self._database.writing() as connection:
            eventlog.remove(connection, dub_id)
            connection.execute(dubs_table.delete().where(dubs_table.c.id == dub_id))

    def claim_running(self, dub_id: uuid.UUID, owner: str = "") -> Dub | None:
        """Begin to dub; None when there is nothing to do any more (final, erased, unknown): settle the job and go on.

        `owner` names the calling process. A dub that the same owner runs already gives None too (a duplicate of its
        job); one that another owner runs is taken over, because its job was delivered again.
        """
        with self._database.writing() as connection:
            dub = rows.find(connection, dub_id, lock=True)
            if dub is None or dub.state.final or (owner and dub.state is DubState.RUNNING and dub.owner == owner):
                return None
            return rows.move(connection, dub, DubState.RUNNING, published=True, owner=owner)

    def progress(
        self, dub_id: uuid.UUID, stage: str, fraction: float, message: str = "", data: dict[str, Any] | None = None
    ) -> bool:
        """Record that `stage` has come to `fraction` (0..1); False when the dub is not wanted any more.

        Each call writes to disk: a few a second are enough.
        """
        with self._database.writing() as connection:
            # The update comes first: it locks the dub's row, so ids of its events are committed in their order.
            touched = connection.execute(
                dubs_table.update()
                .where(dubs_table.c.id == dub_id, dubs_table.c.state == DubState.RUNNING)
                .values(updated_at_ms=now_ms())
            )
            if touched.rowcount == 0:
                return False
            eventlog.append_progress(connection, dub_id, stage, fraction, message, data or {})
            return True

    def succeed(self, dub_id: uuid.UUID, summary: dict[str, Any] | None = None) -> Dub:
        """End a running dub well. Its artefacts must be in the media store before.

        Raises:
            SessionCancelled: it was cancelled or erased meanwhile; what was stored for it must be deleted.
            IllegalTransition: it is not running.
        """
        return self._finish(dub_id, DubState.SUCCEEDED, summary=summary or {})

    def fail(self, dub_id: uuid.UUID, code: str, detail: str) -> Dub:
        """End a dub with the code of an error (client/errors.py) and its text; raises as `succeed` does."""
        return self._finish(dub_id, DubState.FAILED, error_code=code, error_detail=detail)

    def request_cancel(self, dub_id: uuid.UUID) -> Dub:
        """Cancel a dub that is queued or running; a final one stays as it is. Raises DubNotFound."""
        with self._database.writing() as connection:
            dub = rows.load(connection, dub_id, lock=True)
            return dub if dub.state.final else rows.move(connection, dub, DubState.CANCELLED)

    def is_cancelled(self, dub_id: uuid.UUID) -> bool:
        """Tell a running owner whether to stop: cancelled, erased, or not there any more."""
        with self._database.reading() as connection:
            dub = rows.find(connection, dub_id)
        return dub is None or dub.erased_at_ms is not None or dub.state is DubState.CANCELLED

    def erase(self, dub_id: uuid.UUID) -> None:
        """Cancel if need be, and forget all that is personal; the media are the caller's to delete. Idempotent.

        The bare row stays until `discard`, so that owners, listeners and webhooks still learn how it ended.
        Raises DubNotFound.
        """
        with self._database.writing() as connection:
            dub = rows.load(connection, dub_id, lock=True)
            if dub.erased_at_ms is not None:
                return
            if not dub.state.final:
                rows.move(connection, dub, DubState.CANCELLED)
            eventlog.remove_progress(connection, dub_id)
            forget(connection, dub_id)
            nothing: dict[str, Any] = {"clip": {}, "summary": {}, "glossary": {}}
            rows.update(
                connection,
                dub_id,
                erased_at_ms=now_ms(),
                clip_name="",
                fingerprint="",
                idempotency_key=None,
                **nothing,
            )

    def expired(self, finished_before_ms: int) -> list[Dub]:
        """Return final dubs that ended before, and whose media were not erased yet."""
        query = sa.select(dubs_table).where(
            dubs_table.c.state.in_(FINAL_STATES),
            dubs_table.c.finished_at_ms < finished_before_ms,
            dubs_table.c.erased_at_ms.is_(None),
        )
        return self._all(query)

    def erased(self, after_ms: int, before_ms: int) -> list[Dub]:
        """Return dubs that were erased between two times and whose webhook is settled."""
        query = sa.select(dubs_table).where(
            dubs_table.c.erased_at_ms >= after_ms,
            dubs_table.c.erased_at_ms < before_ms,
            dubs_table.c.webhook_state != WebhookState.WAITING,
        )
        return self._all(query)

    def _finish(self, dub_id: uuid.UUID, state: DubState, **values: object) -> Dub:
        with self._database.writing() as connection:
            dub = rows.find(connection, dub_id, lock=True)
            if dub is None or dub.state is DubState.CANCELLED:
                raise SessionCancelled(f"dub {dub_id} was cancelled")
            return rows.move(connection, dub, state, **values)

    def _all(self, query: sa.Select[Any]) -> list[Dub]:
        with self._database.reading() as connection:
            return [dub_from_row(row) for row in connection.execute(query)]
