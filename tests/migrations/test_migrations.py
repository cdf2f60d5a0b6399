"""The migrations make what the rows describe, on both databases, and can be undone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import make_url

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


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_migration_waits_for_another_and_no_limit_of_statements_cuts_it(database_url: str) -> None:
    engine = create_engine(Database(database_url).url)
    with ThreadPoolExecutor(1) as threads, engine.connect() as connection:
        name = make_url(database_url).database
        connection.exec_driver_sql(f"ALTER DATABASE \"{name}\" SET statement_timeout = '500ms'")
        connection.commit()
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7046029254386353131)")
        migrating = threads.submit(migrate, Settings(database_url=database_url))
        time.sleep(2.0)  # longer than the limit
        assert not migrating.done()
        connection.rollback()
        migrating.result()
    engine.dispose()
