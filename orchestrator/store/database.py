"""One database for several processes: opened safely, schema made once, driver errors translated."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from orchestrator.errors import StoreUnavailable
from orchestrator.store.schema import metadata

SQLITE_BUSY_TIMEOUT_S = 10.0
"""How long a SQLite writer waits for another process's transaction; ours last milliseconds."""

_READ_ONLY = "polylip_read_only"


class Database:
    """Connections to the job store.

    A SQLite file runs in WAL mode (readers never wait for the writer) with full synchronisation: what was committed
    survives a power cut, because a job that was accepted must not be lost.
    """

    def __init__(self, url: str) -> None:
        """Open `url` (SQLAlchemy form) and make the tables if they are missing.

        A relative SQLite path is resolved against the working directory, once; its folder is made.
        """
        parsed = _absolute(sa.make_url(url))
        sqlite = parsed.get_backend_name() == "sqlite"
        arguments = {"timeout": SQLITE_BUSY_TIMEOUT_S} if sqlite else {}
        self._engine = sa.create_engine(parsed, connect_args=arguments, pool_pre_ping=not sqlite)
        if sqlite:
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        self._create_tables()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One consistent view, nothing written. Raises StoreUnavailable."""
        with _translated(), self._engine.connect().execution_options(**{_READ_ONLY: True}) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction, committed at the end unless an exception leaves it. Raises StoreUnavailable."""
        with _translated(), self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _create_tables(self) -> None:
        # Two processes may start at once: the loser of the race sees the winner's tables at its next try.
        racing = (OperationalError, ProgrammingError, IntegrityError)
        retrying = Retrying(
            retry=retry_if_exception_type(racing),
            wait=wait_random(0.05, 0.2),
            stop=stop_after_attempt(20),
            reraise=True,
        )
        with _translated():
            retrying(self._create_tables_once)

    def _create_tables_once(self) -> None:
        with self._engine.begin() as connection:
            metadata.create_all(connection)
            _add_missing_columns(connection)


def _add_missing_columns(connection: sa.Connection) -> None:
    """Bring tables that an earlier release made up to date; new columns have a default, so their rows stay good."""
    for table in metadata.sorted_tables:
        there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                definition = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
                name = connection.dialect.identifier_preparer.format_table(table)
                connection.execute(sa.text(f"ALTER TABLE {name} ADD COLUMN {definition}"))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # the caller's business: which key was taken
    except (DBAPIError, sa.exc.TimeoutError) as error:
        raise StoreUnavailable(f"job store: {_first_line(error)}") from error


def _first_line(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return (str(cause).splitlines() or [type(error).__name__])[0]


def _absolute(url: sa.URL) -> sa.URL:
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return url
    path = Path(name).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    return url.set(database=str(path))


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own class)
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A deferred transaction that begins by reading cannot wait for the lock when it comes to write (SQLITE_BUSY at
    # once, whatever the timeout), so writers take the lock first. Readers must not.
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
