"""The migrations make what the rows describe, on both databases, and can be undone."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from app.command.schema import alembic_config, check_schema, migrate
from app.core.database import Database
from app.core.records import Record
from app.core.settings import Settings


def test_migrations_and_rows_agree(database_url: str) -> None:
    engine = create_engine(Database(database_url).url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Record.metadata) == []
    engine.dispose()


def test_down_and_up_again(database_url: str) -> None:
    settings = Settings(database_url=database_url)
    command.downgrade(alembic_config(settings), "base")
    engine = create_engine(Database(database_url).url)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()
    migrate(settings)
    check_schema(settings)
