"""Sessions on SQLite or PostgreSQL. `Database.transaction` is the only place that commits."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import DateTime, Dialect, Engine, TypeDecorator, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.core.errors import DatabaseUnavailable, InvalidRequest
from app.core.settings import DATABASE_TIMEOUT_SECONDS
from app.core.sqlite import SqliteFile

NEVER_STORED = re.compile("[\0\ud800-\udfff]")  # PostgreSQL has no NUL, UTF-8 no halves of characters
UNDEFINED = ("42P01", "42703")  # SQLSTATE of an undefined table and an undefined column


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

    Nothing here waits for ever: a call raises `DatabaseUnavailable` after three times `timeout_seconds` and some more
    (its turn, a connection, a statement that gets no answer), and each later statement of it after once that time.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = DATABASE_TIMEOUT_SECONDS,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self._clock = clock
        self._file: SqliteFile | None = None
        if parsed.get_backend_name() == "sqlite":
            self._file = SqliteFile(parsed, timeout_seconds)
            self._engine = self._file.engine
        else:
            from app.core import postgresql  # noqa: PLC0415 (who has SQLite starts without the driver)

            self._engine = postgresql.open_engine(parsed, timeout_seconds)
        event.listen(self._engine, "before_cursor_execute", _refuse_what_is_never_stored)
        self._writing_engine = self._engine.execution_options(writing=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Write: all of it is committed at the end, or none.

        On SQLite the write lock is taken at the start: a transaction that first reads and then writes would fail at
        once, not wait, when another wrote in between.
        """
        turn = self._file.turn() if self._file else nullcontext()
        with turn, _translated(), self._session(self._writing_engine) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read one consistent state; nothing is committed."""
        with _translated(), self._session(self._engine) as session:
            yield session

    def _session(self, engine: Engine) -> Session:
        return Session(engine, autoflush=False, expire_on_commit=False, info={"clock": self._clock})

    def check(self) -> None:
        """Raise `DatabaseUnavailable` unless the database answers and has been migrated."""
        with self.reading() as session:
            session.execute(text("SELECT version_num FROM alembic_version"))

    def close(self) -> None:
        """Close the connections that nobody uses, without a wait; the others are closed by who uses them."""
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


def _refuse_what_is_never_stored(*given: Any) -> None:
    """Refuse a text that one of the databases cannot take, alike for both."""
    for row in given[3] if isinstance(given[3], list) else [given[3]]:
        for value in row.values() if isinstance(row, Mapping) else cast("Iterable[object]", row):
            if isinstance(value, str) and (found := NEVER_STORED.search(value)):
                character = f"U+{ord(found[0]):04X}"
                name = "NUL" if found[0] == "\0" else "half of a character"
                raise InvalidRequest(f"A name or id contains {name} ({character}).", character=character)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what the caller can act on; what is left is a fault of ours."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable("The database does not answer: all connections wait for it.") from error
    except DataError as error:
        raise InvalidRequest("The database cannot hold a value of this request.") from error
    except (IntegrityError, NotSupportedError):
        raise
    except DBAPIError as error:
        if _lacks_schema(error):
            raise DatabaseUnavailable("The database has not the newest schema; run: wordkin migrate") from error
        if isinstance(error, ProgrammingError):
            raise
        if type(error.orig) is sqlite3.DatabaseError:
            raise DatabaseUnavailable(f"The database is damaged: {error.orig}.") from error
        raise DatabaseUnavailable(f"The database does not answer: {_told(error)}.") from error


def _lacks_schema(error: DBAPIError) -> bool:
    cause = error.orig
    return getattr(cause, "sqlstate", None) in UNDEFINED or (
        isinstance(cause, sqlite3.OperationalError) and str(cause).startswith(("no such table", "no such column"))
    )


def _told(error: DBAPIError) -> str:
    """What went wrong, without the addresses and users that PostgreSQL names."""
    return str(error.orig) if isinstance(error.orig, sqlite3.Error) else type(error.orig).__name__
