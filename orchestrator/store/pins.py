"""Which sessions hold which versions of which models: a swap leaves those loaded until the sessions end."""

import uuid
from collections.abc import Mapping

import sqlalchemy as sa

from orchestrator.clock import now_ms
from orchestrator.store.database import Database
from orchestrator.store.schema import pins


class PinStore:
    """Thread-safe; raises StoreUnavailable. What a dead session held is let go after the drain time of a swap."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, session_id: uuid.UUID, versions: Mapping[str, int]) -> None:
        """Note what a session begins with, in place of what it held before."""
        rows = [
            {"session_id": session_id, "model": model, "version": version, "since_ms": now_ms()}
            for model, version in versions.items()
        ]
        with self._database.writing() as connection:
            connection.execute(pins.delete().where(pins.c.session_id == session_id))
            if rows:
                connection.execute(pins.insert(), rows)

    def release(self, session_id: uuid.UUID) -> None:
        """Forget a session; harmless when it holds nothing."""
        with self._database.writing() as connection:
            connection.execute(pins.delete().where(pins.c.session_id == session_id))

    def held(self, model: str) -> set[int]:
        """Return the versions of the model that sessions hold."""
        query = sa.select(pins.c.version).where(pins.c.model == model)
        with self._database.reading() as connection:
            return {version for (version,) in connection.execute(query)}
