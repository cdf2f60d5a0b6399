"""Alembic's entry: the rows of `app.core.records`, on the database that the settings name."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from app.core.database import Database
from app.core.records import Record
from app.core.settings import Settings


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url") or Settings().database
    engine = create_engine(Database(url).url)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Record.metadata, render_as_batch=True)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # Replicas may start together; the others wait, then find nothing to do
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7046029254386353131)")
            context.run_migrations()
    engine.dispose()


run()
