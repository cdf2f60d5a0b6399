"""The database's schema: bring it to the newest, or check that it is."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.command.failures import ServiceDied
from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.core.settings import Settings


def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema, or raise `ServiceDied` when it does not answer."""
    with _answering(settings) as database, _alone(database):
        command.upgrade(alembic_config(settings), "head")


def check_schema(settings: Settings) -> None:
    """Raise `ServiceDied` when the database does not answer, or has not the newest schema."""
    newest = ScriptDirectory.from_config(alembic_config(settings)).get_current_head()
    with _answering(settings) as database, database.reading() as session:
        current = MigrationContext.configure(session.connection()).get_current_revision()
    if current != newest:
        raise ServiceDied(f"The database is at {current or 'nothing'}, not at {newest}; run: wordkin migrate")


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """One process at a time migrates a SQLite file; PostgreSQL has a lock for that, which `migrations/env.py` takes."""
    path = database.url.database
    if database.url.get_backend_name() != "sqlite" or not path or path == ":memory:":
        yield
        return
    with Path(f"{path}.migrating").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _answering(settings: Settings) -> Iterator[Database]:
    """The database, if it answers."""
    with closing(Database(settings.database)) as database:
        try:
            database.check()
        except DatabaseUnavailable as error:
            reason = str(getattr(error.__cause__, "orig", None) or error.detail).partition("\n")[0]
            raise ServiceDied(f"The database does not answer: {reason}") from error
        yield database


def alembic_config(settings: Settings) -> Config:
    url = Database(settings.database).url  # also makes the folder of a SQLite file
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
    return config
