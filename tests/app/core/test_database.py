"""A database that cannot be used is told from a fault of ours, and nobody waits for it without an end."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import IntegrityError

from app.core import catalog, jobs
from app.core.catalog import corpora
from app.core.database import Database
from app.core.errors import DatabaseUnavailable, InvalidRequest
from app.core.records import Alias


def test_a_name_with_nul_is_refused_alike(database_url: str) -> None:
    """PostgreSQL's driver fails on it; SQLite would look for it."""
    opened = Database(database_url)
    with pytest.raises(InvalidRequest, match="NUL"), opened.reading() as session:
        jobs.get(session, "\x00")
    with pytest.raises(InvalidRequest, match="NUL"), opened.reading() as session:
        corpora.page(session, limit=10, after="a\x00b")
    with opened.reading() as session:
        assert corpora.page(session, limit=10) == []
    opened.close()


def test_an_old_schema_is_said_with_its_remedy(database_url: str) -> None:
    engine = create_engine(Database(database_url).url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alias_moves"))
    engine.dispose()
    opened = Database(database_url)
    with pytest.raises(DatabaseUnavailable, match="run: wordkin migrate"), opened.reading() as session:
        catalog.alias_history(session, "m", "latest", limit=1)
    opened.close()


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "database.sqlite"
    path.write_bytes(b"this is no database" * 100)
    opened = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseUnavailable, match="damaged: file is not a database"):
        opened.check()
    opened.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_is_gone_or_another_takes_no_writes(database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite:///"))
    opened = Database(database_url)
    opened.check()
    content = path.read_bytes()
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    with pytest.raises(DatabaseUnavailable, match="gone"):
        opened.check()
    path.write_bytes(content)
    opened.check()
    path.rename(path.with_suffix(".other"))
    path.write_bytes(content)
    with pytest.raises(DatabaseUnavailable, match="replaced"):
        opened.check()
    opened.check()
    opened.close()


def test_many_may_migrate_at_once(tmp_path: Path) -> None:
    code = (
        "from app.command.schema import check_schema, migrate; from app.core.settings import Settings;"
        f"settings = Settings(data_dir={str(tmp_path)!r}); migrate(settings); check_schema(settings)"
    )
    started = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0, 0], said


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_a_character_that_one_database_cannot_take_is_refused_in_rows_of_many(
    database: Database, character: str
) -> None:
    with pytest.raises(InvalidRequest) as caught, database.transaction() as session:
        session.add_all([alias("good"), alias(character)])
    assert caught.value.members == {"character": f"U+{ord(character):04X}"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_value_that_its_column_cannot_hold_is_an_invalid_request(database: Database) -> None:
    with pytest.raises(InvalidRequest), database.reading() as session:
        session.scalars(select(Alias).where(Alias.version == 1 << 40)).all()


def test_a_broken_rule_stays_a_fault_of_ours(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(alias("latest"))  # of a version that there is not


def alias(name: str) -> Alias:
    return Alias(model="m", alias=name, version=1, revision=1, moved_at=datetime.now(UTC))


def test_a_database_that_was_never_migrated_is_not_up(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(DatabaseUnavailable, match=r"has not the newest schema; run: wordkin migrate$"):
        database.check()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_is_damaged_while_it_is_open_is_not_up(database: Database) -> None:
    database.check()
    database.close()
    path = Path(database.url.database or "")
    path.write_bytes(path.read_bytes()[:100] + bytes(path.stat().st_size - 100))
    with pytest.raises(DatabaseUnavailable, match=r"damaged: database disk image is malformed"):
        database.check()
