"""Alembic's entry: all rows, on the database that the settings name."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from app.core import trainers  # noqa: F401 (its rows belong to those of `Record`)
from app.core.database import Database
from app.core.settings import DATABASE_TIMEOUT_SECONDS, Settings
from app.core.sqlite import begin_explicitly
from app.core.upload_records import PartialUpload
from app.core.watching import events, outbox  # noqa: F401 (their rows belong to the metadata)

WAIT_SECONDS = 600
"""For whoever migrates now, or holds a lock; a migration itself may take as long as it needs."""


def run() -> None:
    """Migrate in one transaction. Processes may start together: one goes first, the others then find nothing to do."""
    url = Database(context.config.get_main_option("sqlalchemy.url") or Settings().database).url
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS, "isolation_level": None})
        begin_explicitly(engine)
        engine = engine.execution_options(writing=True)
    else:
        from app.core.postgresql import reaching  # noqa: PLC0415 (who has SQLite starts without the driver)

        engine = create_engine(url, connect_args=reaching(url, DATABASE_TIMEOUT_SECONDS))
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=PartialUpload.metadata, render_as_batch=True, transactional_ddl=True
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7046029254386353131)")
            context.run_migrations()
    engine.dispose()


run()
