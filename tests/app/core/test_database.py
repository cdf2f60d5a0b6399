"""A database that cannot be used is told from a fault of ours, and nobody waits for it without an end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.core import catalog, database, jobs
from app.core.database import Database
from app.core.errors import DatabaseUnavailable, InvalidRequest


def test_a_name_with_nul_is_refused_alike(database_url: str) -> None:
    """PostgreSQL's driver fails on it; SQLite would look for it."""
    opened = Database(database_url)
    with pytest.raises(InvalidRequest, match="NUL"), opened.reading() as session:
        jobs.get(session, "\x00")
    with pytest.raises(InvalidRequest, match="NUL"), opened.reading() as session:
        catalog.list_corpora(session, limit=10, after="a\x00b")
    with opened.reading() as session:
        assert catalog.list_corpora(session, limit=10) == []
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nobody_waits_for_a_connection_without_an_end(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "POOL_SECONDS", 0.05)
    monkeypatch.setattr(database, "MAX_CONNECTIONS", 0)
    opened = Database(database_url)
    with ExitStack() as held:
        for _ in range(5):  # as many as are kept open
            held.enter_context(opened.reading()).connection()
        with pytest.raises(DatabaseUnavailable, match="all connections wait"):
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
