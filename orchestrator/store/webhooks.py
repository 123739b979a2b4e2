"""Which webhooks are to be sent: kept in the job store, so that a restart forgets none."""

import uuid

import sqlalchemy as sa

from orchestrator.store.database import Database
from orchestrator.store.schema import Dub, WebhookState, dub_from_row, dubs
from orchestrator.store.states import FINAL_STATES


class WebhookQueue:
    """The webhooks of final dubs; several gateways may share one queue."""

    def __init__(self, database: Database) -> None:
        """Work on the job store's own database."""
        self._database = database

    def claim(self, now_ms: int, lease_ms: int) -> Dub | None:
        """Take one webhook that is due; nobody else gets it for `lease_ms`. Its count of tries goes up by one."""
        with self._database.writing() as connection:
            row = connection.execute(
                sa.select(dubs)
                .where(dubs.c.webhook_state == WebhookState.WAITING, dubs.c.state.in_(FINAL_STATES))
                .where(dubs.c.webhook_due_at_ms <= now_ms)
                .order_by(dubs.c.webhook_due_at_ms)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if row is None:
                return None
            values = {"webhook_due_at_ms": now_ms + lease_ms, "webhook_attempts": row.webhook_attempts + 1}
            connection.execute(dubs.update().where(dubs.c.id == row.id).values(**values))
            return dub_from_row(connection.execute(sa.select(dubs).where(dubs.c.id == row.id)).one())

    def settle(self, dub_id: uuid.UUID, state: WebhookState, outcome: str, due_at_ms: int = 0) -> None:
        """Record the outcome of a try; WAITING with `due_at_ms` asks for another one."""
        values = {"webhook_state": state, "webhook_outcome": outcome, "webhook_due_at_ms": due_at_ms}
        with self._database.writing() as connection:
            connection.execute(dubs.update().where(dubs.c.id == dub_id).values(**values))
