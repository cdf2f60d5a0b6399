"""Rows of one moment, as lines that every database can take: what a backup keeps, and what it names in storage."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, Column, Connection, DateTime, LargeBinary, MetaData, Table, delete, func, select

from app.core.database import Database
from app.core.table.manifest import MANIFEST_FILE

LEFT_OUT = ("alembic_version", "partial_uploads", "upload_parts")
"""The schema is said in another place, and uploads that are not finished are sent again."""
UPLOADS = ("corpora", "files")
AT_ONCE = 200
"""Rows in memory."""

Line = tuple[str, dict[str, Any]]
"""A table's name and a row of it."""


class NamedObject(NamedTuple):
    """An object that a row names; the size of a manifest is not written down. `owner` is what a user calls it."""

    key: str
    sha256: str
    n_bytes: int | None
    owner: str


@dataclass(frozen=True)
class Taken:
    """Rows in a local file, the schema that they have, and how many there are of each table."""

    path: Path
    schema: str
    tables: Mapping[str, int]

    def lines(self) -> Iterator[Line]:
        return lines(self.path)


def take(database: Database, folder: Path) -> Taken:
    """Write all rows of one moment into a file below a folder; whoever works with the database goes on."""
    path, counted = folder / "rows.jsonl.gz", Counter[str]()
    with _moment(database, folder) as connection, gzip.open(path, "wt", encoding="utf-8") as file:
        schema = MigrationContext.configure(connection).get_current_revision() or ""
        for table in _tables(connection).sorted_tables:
            query = select(table).order_by(*table.primary_key.columns)
            for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
                said = {column.name: _plain(value) for column, value in zip(table.columns, row, strict=True)}
                file.write(json.dumps([table.name, said], ensure_ascii=False) + "\n")
                counted[table.name] += 1
    return Taken(path, schema, dict(counted))


def without(taken: Taken, keys: Collection[str]) -> Taken:
    """Rows without the uploads that these keys name, as if they had been deleted."""
    path, counted, gone = taken.path.with_name("fewer.jsonl.gz"), Counter[str](), set()
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for table, row in taken.lines():
            if table in UPLOADS and row["key"] in keys:
                gone.add(row["id"])
                continue
            if row.get("corpus_id") in gone:
                row["corpus_id"] = None
            file.write(json.dumps([table, row], ensure_ascii=False) + "\n")
            counted[table] += 1
    return Taken(path, taken.schema, dict(counted))


@contextmanager
def _moment(database: Database, folder: Path) -> Iterator[Connection]:
    """A connection to which the database stands still: SQLite's is to a copy, so that its log does not grow for us."""
    if database.url.get_backend_name() != "sqlite":
        with database.reading() as session:
            yield session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return
    copy = folder / "copy.sqlite"
    with (
        closing(sqlite3.connect(database.url.database or "")) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    with closing(Database(f"sqlite:///{copy}")) as copied, copied.reading() as session:
        yield session.connection()


def lines(path: Path) -> Iterator[Line]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            table, row = json.loads(line)
            yield table, row


def is_empty(database: Database) -> bool:
    """Whether there are no tables, or only the row that a new database has."""
    with database.reading() as session:
        tables = _tables(session.connection()).sorted_tables
        return all(session.execute(select(table).limit(1)).first() is None for table in tables if not _is_born(table))


def insert(database: Database, path: Path) -> None:
    """Write rows into a database that is empty and has their schema: all of them, or none."""
    with database.transaction() as session:
        connection = session.connection()
        tables = _tables(connection).tables
        for table in filter(_is_born, tables.values()):
            connection.execute(delete(table))
        for name, of_table in groupby(lines(path), itemgetter(0)):
            table = tables[name]
            while batch := [_typed(table, row) for _, row in islice(of_table, AT_ONCE)]:
                connection.execute(table.insert(), batch)
            _count_on(connection, table)


def objects_of(line: Line) -> Iterator[NamedObject]:
    """What a row names in storage."""
    table, row = line
    if table in UPLOADS:
        owner = f"{'corpus' if table == 'corpora' else 'file'} {row['name']}@{row.get('revision', 1)}"
        yield NamedObject(row["key"], row["sha256"], row["n_bytes"], owner)
    elif table == "versions":
        prefix, owner = row["prefix"], f"version {row['model']}@{row['number']}"
        yield NamedObject(f"{prefix}/{MANIFEST_FILE}", row["manifest_sha256"], None, owner)
        for name, digest in row["manifest"].get("files", {}).items():
            yield NamedObject(f"{prefix}/{name}", digest["sha256"], digest["n_bytes"], owner)


def _tables(connection: Connection) -> MetaData:
    """The tables as this database has them, which may be an older release's."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name not in LEFT_OUT)
    for table in found.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)
    return found


def _is_born(table: Table) -> bool:
    """Whether the migrations put a row into it."""
    return table.name == "installation"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(table.columns[name], value) for name, value in row.items()}


def _value(column: Column[Any], value: Any) -> Any:
    if value is not None and isinstance(column.type, DateTime):
        moment = datetime.fromisoformat(value)
        return moment if getattr(column.type, "timezone", False) else moment.replace(tzinfo=None)
    return base64.b64decode(value) if value is not None and isinstance(column.type, LargeBinary) else value


def _count_on(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number the next row after those that have come; SQLite looks for itself."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
        if sequence:
            connection.execute(select(func.setval(sequence, func.coalesce(func.max(column), 1))))
