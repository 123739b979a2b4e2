"""Corrections of finished dubs, and the renders that carry them out. The dub itself stays `succeeded` throughout."""

import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from orchestrator.clock import now_ms
from orchestrator.corrections import Correction
from orchestrator.errors import (
    CorrectionOutdated,
    DubNotFinished,
    DubNotFound,
    RenderInProgress,
    SessionCancelled,
    TooManyDubs,
)
from orchestrator.store import eventlog, rows
from orchestrator.store.database import Database
from orchestrator.store.schema import Corrected, Dub, Render, corrected_from_row, corrections, render_from_row, renders
from orchestrator.store.states import ACTIVE_STATES, DubState, check_transition


class RenderStore:
    """Part of the job store (dubs.py): thread-safe, several processes at once, StoreUnavailable when it is away."""

    def __init__(self, database: Database) -> None:
        """Work on the job store's own database."""
        self._database = database

    def corrections(self, dub_id: uuid.UUID) -> list[Corrected]:
        """Return what is corrected, in the order of speech."""
        with self._database.reading() as connection:
            return _corrections(connection, dub_id)

    def correct(
        self,
        dub_id: uuid.UUID,
        segment_id: uuid.UUID,
        sequence: int,
        change: Callable[[Correction], Correction],
        version: int | None = None,
    ) -> Corrected:
        """Change one sentence's correction; `version` None does not ask what it was before (0: not corrected yet).

        Raises:
            CorrectionOutdated: it has another version.
            CorrectionRefused: whatever `change` raises.
            DubNotFound, DubNotFinished: there is nothing to correct.
        """
        with self._database.writing() as connection:
            _finished(connection, dub_id)
            here = (corrections.c.dub_id == dub_id, corrections.c.segment_id == segment_id)
            row = connection.execute(sa.select(corrections).where(*here)).first()
            before = corrected_from_row(row) if row is not None else None
            at = before.version if before else 0
            if version is not None and version != at:
                raise CorrectionOutdated(f"sentence {sequence} was corrected meanwhile: version {at}, not {version}")
            after = change(before.correction if before else Correction())
            if before is not None and after == before.correction:
                return before
            values = {"version": at + 1, "correction": after.stored(), "sequence": sequence}
            if before is None:
                connection.execute(corrections.insert().values(dub_id=dub_id, segment_id=segment_id, **values))
            else:
                connection.execute(corrections.update().where(*here).values(**values))
        return Corrected(segment_id=segment_id, sequence=sequence, version=at + 1, correction=after)

    def request(self, dub_id: uuid.UUID, max_active: int | None = None) -> tuple[Render | None, bool]:
        """Queue a render of what is corrected now; (render, True) when it is new, else the one that does it already.

        (None, False): nothing is corrected, and nothing ever was.

        Raises:
            RenderInProgress: one with other corrections is not done.
            TooManyDubs: `max_active` dubs and renders are queued or running.
            DubNotFound, DubNotFinished: there is nothing to render.
        """
        with self._database.writing() as connection:
            dub = _finished(connection, dub_id)
            wanted = {str(item.segment_id): item.correction.stored() for item in _corrections(connection, dub_id)}
            wanted = {segment: values for segment, values in wanted.items() if values}
            active = _latest(connection, dub_id, *ACTIVE_STATES)
            if active is not None:
                if active.corrections != wanted:
                    raise RenderInProgress(f"render {active.id} is {active.state}; wait for it, or cancel it")
                return active, False
            done = _latest(connection, dub_id, DubState.SUCCEEDED)
            if wanted == (done.corrections if done else {}):
                return done, False
            if max_active is not None and rows.active(connection) + _active(connection) >= max_active:
                raise TooManyDubs(f"{max_active} dubs are queued or running")
            values = {
                "dub_id": dub_id,
                "state": DubState.QUEUED,
                "corrections": wanted,
                "revision": 1 + max(dub.revision, _last_revision(connection, dub_id)),
                "created_at_ms": now_ms(),
            }
            made = connection.execute(renders.insert().values(**values)).inserted_primary_key
            assert made is not None
            render = _load(connection, made[0])
            _tell(connection, render)
            return render, True

    def get(self, render_id: int) -> Render:
        """Return one render; raises DubNotFound."""
        with self._database.reading() as connection:
            return _load(connection, render_id)

    def latest(self, dub_id: uuid.UUID) -> Render | None:
        """Return the dub's newest render."""
        with self._database.reading() as connection:
            return _latest(connection, dub_id)

    def shown(self, dub_id: uuid.UUID) -> dict[str, dict[str, Any]]:
        """Return the corrections that the dub's shown revision has, by segment id."""
        with self._database.reading() as connection:
            done = _latest(connection, dub_id, DubState.SUCCEEDED)
        return done.corrections if done is not None else {}

    def active(self, dub_id: uuid.UUID) -> Render | None:
        """Return the dub's render that is queued or running."""
        with self._database.reading() as connection:
            return _latest(connection, dub_id, *ACTIVE_STATES)

    def unpublished(self, created_before_ms: int) -> list[Render]:
        """Return queued renders whose job may never have reached the broker, oldest first."""
        query = (
            sa.select(renders)
            .where(renders.c.state == DubState.QUEUED, renders.c.published.is_(False))
            .where(renders.c.created_at_ms < created_before_ms)
            .order_by(renders.c.id)
        )
        with self._database.reading() as connection:
            return [render_from_row(row) for row in connection.execute(query)]

    def mark_published(self, render_id: int) -> None:
        """Remember that the broker has confirmed the job."""
        with self._database.writing() as connection:
            _update(connection, render_id, published=True)

    def claim(self, render_id: int, owner: str) -> tuple[Dub, Render] | None:
        """Begin to render, as `DubStore.claim_running`; None when there is nothing to do any more."""
        with self._database.writing() as connection:
            found = _wanted(connection, render_id)
            if found is None or (found[1].state is DubState.RUNNING and found[1].owner == owner):
                return None
            dub, render = found
            return dub, _move(connection, render, DubState.RUNNING, owner=owner, published=True)

    def progress(self, render_id: int, stage: str, fraction: float) -> bool:
        """Record progress among the dub's events; False when the render is not wanted any more."""
        with self._database.writing() as connection:
            found = _wanted(connection, render_id)
            if found is None:
                return False
            eventlog.append_progress(connection, found[0].id, stage, fraction, "", {"render": render_id})
            return True

    def is_cancelled(self, render_id: int) -> bool:
        """Tell a running owner whether to stop: cancelled, ended otherwise, or the dub was erased."""
        with self._database.reading() as connection:
            return _wanted(connection, render_id, lock=False) is None

    def succeed(self, render_id: int, summary: dict[str, Any]) -> None:
        """Show the new revision from now on; its artefacts must be in the media store before.

        Raises:
            SessionCancelled: it is not wanted any more.
        """
        with self._database.writing() as connection:
            dub, render = _still_wanted(connection, render_id)
            at_ms = _move(connection, render, DubState.SUCCEEDED).finished_at_ms
            rows.update(
                connection, dub.id, revision=render.revision, summary=summary, updated_at_ms=at_ms, finished_at_ms=at_ms
            )

    def fail(self, render_id: int, code: str, detail: str) -> None:
        """End the render; the dub stays as it was. Raises SessionCancelled when it is not wanted any more."""
        with self._database.writing() as connection:
            _, render = _still_wanted(connection, render_id)
            _move(connection, render, DubState.FAILED, error_code=code, error_detail=detail)

    def cancel(self, dub_id: uuid.UUID) -> Render | None:
        """Cancel the dub's render that is queued or running, if there is one; the dub stays as it was."""
        with self._database.writing() as connection:
            rows.load(connection, dub_id, lock=True)
            render = _latest(connection, dub_id, *ACTIVE_STATES)
            return _move(connection, render, DubState.CANCELLED) if render is not None else None


def forget(connection: sa.Connection, dub_id: uuid.UUID) -> None:
    """Remove all that people wrote, and every render, of a dub that is erased."""
    for table in (corrections, renders):
        connection.execute(table.delete().where(table.c.dub_id == dub_id))


def _finished(connection: sa.Connection, dub_id: uuid.UUID) -> Dub:
    dub = rows.load(connection, dub_id, lock=True)
    if dub.erased_at_ms is not None:
        raise DubNotFound(f"dub {dub_id} was erased")
    if dub.state is not DubState.SUCCEEDED:
        raise DubNotFinished(f"the dub is {dub.state}; only one that has succeeded can be corrected")
    return dub


def _corrections(connection: sa.Connection, dub_id: uuid.UUID) -> list[Corrected]:
    query = sa.select(corrections).where(corrections.c.dub_id == dub_id).order_by(corrections.c.sequence)
    return [corrected_from_row(row) for row in connection.execute(query)]


def _latest(connection: sa.Connection, dub_id: uuid.UUID, *states: DubState) -> Render | None:
    query = sa.select(renders).where(renders.c.dub_id == dub_id).order_by(renders.c.id.desc()).limit(1)
    row = connection.execute(query.where(renders.c.state.in_(states)) if states else query).first()
    return render_from_row(row) if row is not None else None


def _active(connection: sa.Connection) -> int:
    query = sa.select(sa.func.count()).select_from(renders).where(renders.c.state.in_(ACTIVE_STATES))
    return connection.execute(query).scalar_one()


def _last_revision(connection: sa.Connection, dub_id: uuid.UUID) -> int:
    """Return the highest number that a render was given: none is given twice, so no two owners write one file."""
    query = sa.select(sa.func.max(renders.c.revision)).where(renders.c.dub_id == dub_id)
    return connection.execute(query).scalar_one() or 0


def _find(connection: sa.Connection, render_id: int) -> Render | None:
    row = connection.execute(sa.select(renders).where(renders.c.id == render_id)).first()
    return render_from_row(row) if row is not None else None


def _load(connection: sa.Connection, render_id: int) -> Render:
    render = _find(connection, render_id)
    if render is None:
        raise DubNotFound(f"there is no render {render_id}")
    return render


def _wanted(connection: sa.Connection, render_id: int, *, lock: bool = True) -> tuple[Dub, Render] | None:
    """Return a render that is not ended, with its dub (locked first, as everywhere)."""
    render = _find(connection, render_id)
    dub = rows.find(connection, render.dub_id, lock=lock) if render is not None else None
    if dub is None or dub.erased_at_ms is not None:
        return None
    render = _find(connection, render_id)  # again, now that nobody changes it
    return (dub, render) if render is not None and not render.state.final else None


def _still_wanted(connection: sa.Connection, render_id: int) -> tuple[Dub, Render]:
    found = _wanted(connection, render_id)
    if found is None:
        raise SessionCancelled(f"render {render_id} is not wanted any more")
    return found


def _move(connection: sa.Connection, render: Render, state: DubState, **values: object) -> Render:
    check_transition(render.state, state)
    if state.final:
        values["finished_at_ms"] = now_ms()
    _update(connection, render.id, state=state, **values)
    moved = _load(connection, render.id)
    _tell(connection, moved)
    return moved


def _update(connection: sa.Connection, render_id: int, **values: object) -> None:
    connection.execute(renders.update().where(renders.c.id == render_id).values(**values))


def _tell(connection: sa.Connection, render: Render) -> None:
    data: dict[str, Any] = {"id": render.id, "state": render.state.value, "revision": render.revision}
    if render.error_code is not None:
        data["error"] = {"code": render.error_code, "detail": render.error_detail or ""}
    eventlog.append_render(connection, render.dub_id, data, done=render.state is DubState.SUCCEEDED)
