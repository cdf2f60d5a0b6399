"""Connections to a SQLite file, whose processes share one lock for writing."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.errors import DatabaseUnavailable
from app.core.settings import MAX_CONNECTIONS

RETRY_SECONDS = 0.01


class SqliteFile:
    """One file and the engine on it, which waits so long at most for a connection of its pool, and for a lock."""

    def __init__(self, url: URL, timeout_seconds: float) -> None:
        self._path = Path(url.database or "")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._timeout_seconds = timeout_seconds
        self._writing = threading.Lock()
        self.engine = create_engine(url, pool_timeout=timeout_seconds, max_overflow=MAX_CONNECTIONS)
        event.listen(self.engine, "connect", self._prepare)
        event.listen(self.engine, "checkout", self._check)
        begin_explicitly(self.engine)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let one writer of this process at a time go on.

        SQLite would let them wait in no order, so that some starve, each with a connection that a reader could have.
        """
        if not self._writing.acquire(timeout=self._timeout_seconds):
            raise DatabaseUnavailable("The database does not answer: too many wait to write.")
        try:
            yield
        finally:
            self._writing.release()

    def _check(self, _connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        """Refuse a connection whose file was deleted or replaced: what it writes there, nobody finds again."""
        try:
            found = self._path.stat()
        except OSError as error:
            raise DatabaseUnavailable("The database file is gone.") from error
        identity = record.info.setdefault("file", (found.st_dev, found.st_ino))
        if identity != (found.st_dev, found.st_ino):
            record.invalidate()
            raise DatabaseUnavailable("The database file was replaced.")

    def _prepare(self, connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own
        connection.execute(f"PRAGMA busy_timeout={math.ceil(self._timeout_seconds * 1000)}")
        self._use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous=FULL")  # an accepted job survives a power cut
        connection.execute("PRAGMA foreign_keys=ON")

    def _use_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        """Change a new file over; for this alone SQLite does not wait until another process has done the same."""
        deadline = time.monotonic() + self._timeout_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_SECONDS)
            else:
                return


def begin_explicitly(engine: Engine) -> None:
    """Begin every transaction by a statement; with the execution option `writing` it has the write lock at once."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
