"""Sessions on SQLite or PostgreSQL. `Database.transaction` is the only place that commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, TypeDecorator, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.core.errors import DatabaseUnavailable, InvalidRequest

BUSY_TIMEOUT_MILLISECONDS = 10_000
CONNECT_SECONDS = 5
SILENT_MILLISECONDS = 10_000
"""A server that acknowledges nothing for so long is taken for gone; long statements of a live one go on."""
POOL_SECONDS = 5.0
MAX_CONNECTIONS = 40
"""As many as the API has threads: none of them waits for a connection while the database answers."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which has none, keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """An engine and its clock.

    Leases of several machines are compared, so the time is the database's own; on SQLite all processes share this
    machine's clock. Tests pass a `clock` of theirs.
    """

    def __init__(self, url: str, *, clock: Callable[[], datetime] | None = None) -> None:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self._is_sqlite = parsed.get_backend_name() == "sqlite"
        if self._is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.url = parsed
        self._clock = clock
        self._engine = create_engine(parsed, pool_pre_ping=not self._is_sqlite, **_limits(parsed))
        event.listen(self._engine, "before_cursor_execute", _refuse_nul)
        if self._is_sqlite:
            event.listen(self._engine, "checkout", self._same_file)
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._writing_engine = self._engine.execution_options(writing=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Write: all of it is committed at the end, or none.

        On SQLite the write lock is taken at the start: a transaction that first reads and then writes would fail at
        once, not wait, when another wrote in between.
        """
        with _unavailable(), self._session(self._writing_engine) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read one consistent state; nothing is committed."""
        with _unavailable(), self._session(self._engine) as session:
            yield session

    def _session(self, engine: Engine) -> Session:
        return Session(engine, autoflush=False, expire_on_commit=False, info={"clock": self._clock})

    def _same_file(self, _connection: Any, record: Any, _proxy: Any) -> None:
        """A SQLite file that was deleted or replaced would go on taking writes that nobody finds again."""
        if not self.url.database or self.url.database == ":memory:":
            return
        try:
            found = Path(self.url.database).stat()
        except OSError as error:
            raise DatabaseUnavailable("The database file is gone.") from error
        identity = record.info.setdefault("file", (found.st_dev, found.st_ino))
        if identity != (found.st_dev, found.st_ino):
            record.invalidate()
            raise DatabaseUnavailable("The database file was replaced.")

    def check(self) -> None:
        """Raise `DatabaseUnavailable` unless the database answers."""
        with self.reading() as session:
            session.execute(select(1))

    def close(self) -> None:
        self._engine.dispose()


def now(session: Session) -> datetime:
    """The time by which leases are judged."""
    clock: Callable[[], datetime] | None = session.info.get("clock")
    if clock:
        return clock()
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def serialise(session: Session, what: str) -> None:
    """Let one transaction at a time go on from here for the same `what`, until it ends.

    For rows that may not exist yet, which cannot be locked. SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))


def _limits(url: URL) -> dict[str, Any]:
    """No wait without an end: to connect, for a connection, for a server that has fallen silent."""
    if url.get_backend_name() == "sqlite":
        return {"pool_timeout": POOL_SECONDS, "max_overflow": MAX_CONNECTIONS} if url.database else {}
    silence = SILENT_MILLISECONDS // 1000
    network = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": SILENT_MILLISECONDS}
    alive = {"keepalives_idle": silence // 2, "keepalives_interval": 2, "keepalives_count": 3}
    return {"pool_timeout": POOL_SECONDS, "max_overflow": MAX_CONNECTIONS, "connect_args": network | alive}


@contextmanager
def _unavailable() -> Iterator[None]:
    """Tell a database that cannot be used from an error of ours."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable("The database does not answer: all connections wait for it.") from error
    except (OperationalError, InterfaceError, ProgrammingError, DatabaseError) as error:
        reason = str(error.orig).partition("\n")[0]
        if "no such table" in reason or type(error.orig).__name__ in {"UndefinedTable", "UndefinedColumn"}:
            raise DatabaseUnavailable(
                f"The database has not the newest schema ({reason}); run: wordkin migrate"
            ) from error
        if isinstance(error, OperationalError | InterfaceError):
            raise DatabaseUnavailable(f"The database does not answer: {type(error.orig).__name__}.") from error
        if "not a database" in reason or "malformed" in reason:
            raise DatabaseUnavailable(f"The database is damaged: {reason}.") from error
        raise


def _refuse_nul(
    _connection: Any, _cursor: Any, _statement: str, parameters: Any, _context: Any, _executemany: bool
) -> None:
    """PostgreSQL has no NUL in its texts; no name or id has one either, whatever database keeps it."""
    values = parameters.values() if isinstance(parameters, dict) else parameters
    if any(isinstance(value, str) and "\x00" in value for value in values):
        raise InvalidRequest("A name or id contains a NUL character.")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an accepted job survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
