"""PostgreSQL databases that tests use one after the other: to make one takes hundreds of times as long."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text

COLUMNS = """
    SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'public' AND attnum > 0 AND NOT attisdropped ORDER BY relname, attname
"""
"""Of tables, indexes and sequences."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
KEPT = ("alembic_version", "installation")
"""Tables whose rows come with the schema."""
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"


class Recycled:
    """Hands out copies of an empty, migrated database, and takes them back; one that a test has altered is dropped.

    Parameters
    ----------
    engine : may create databases; commits each statement
    template : the database to copy
    """

    def __init__(self, engine: Engine, template: URL) -> None:
        self._engine = engine
        self._template = template
        self._spare: list[URL] = []
        with self._connected(template) as connection:
            self._expected = _shape(connection)

    @contextmanager
    def one(self) -> Iterator[URL]:
        url = self._spare.pop() if self._spare else self._made()
        yield url
        with self._engine.connect() as connection:
            connection.execute(text(OTHERS), {"name": url.database})
        with self._connected(url) as connection:
            is_same = _shape(connection) == self._expected
            if is_same:
                _empty(connection)
        if is_same:
            self._spare.append(url)
        else:
            self._drop(url)

    def close(self) -> None:
        for url in self._spare:
            self._drop(url)

    def _made(self) -> URL:
        url = self._template.set(database=f"wordkin_{secrets.token_hex(6)}")
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{url.database}" TEMPLATE "{self._template.database}"')
        return url

    def _drop(self, url: URL) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{url.database}" WITH (FORCE)')

    @contextmanager
    def _connected(self, url: URL) -> Iterator[Connection]:
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            yield connection


def _shape(connection: Connection) -> list[Any]:
    """All that emptying does not bring back: columns, and the rows that come with the schema."""
    columns = connection.exec_driver_sql(COLUMNS).all()
    there = {name for name, *_ in columns}
    kept = [connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in KEPT if table in there]
    return [columns, *kept]


def _empty(connection: Connection) -> None:
    connection.exec_driver_sql("SET session_replication_role = replica")  # the order of foreign keys does not count
    tables = connection.exec_driver_sql(TABLES).scalars().all()
    sequences = connection.exec_driver_sql(SEQUENCES).scalars().all()
    statements = [f'DELETE FROM "{table}"' for table in tables if table not in KEPT]
    connection.exec_driver_sql("; ".join([*statements, *(f'ALTER SEQUENCE "{name}" RESTART' for name in sequences)]))
