"""The database's schema: bring it to the newest, or check that it is."""

from __future__ import annotations

from contextlib import closing
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from app.command.failures import ServiceDied
from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.core.settings import Settings


def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema, or raise `ServiceDied` when it does not answer."""
    _current(settings)
    try:
        command.upgrade(alembic_config(settings), "head")
    except OperationalError as error:
        raise ServiceDied(f"The database could not be migrated: {_first_line(error.orig)}") from error


def bring_to(settings: Settings, revision: str) -> None:
    """Give an empty database the schema of a certain release, or raise `ServiceDied` if that is a later one's."""
    config = alembic_config(settings)
    try:
        ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError as error:
        raise ServiceDied(f"The schema {revision} is a later release's; install that one.") from error
    if _current(settings) not in {None, revision}:
        command.downgrade(config, "base")
    command.upgrade(config, revision)


def check_schema(settings: Settings) -> None:
    """Raise `ServiceDied` when the database does not answer, or has not the newest schema."""
    current = _current(settings)
    newest = ScriptDirectory.from_config(alembic_config(settings)).get_current_head()
    if current != newest:
        raise ServiceDied(f"The database is at {current or 'nothing'}, not at {newest}; run: wordkin migrate")


def _current(settings: Settings) -> str | None:
    """The schema that the database has."""
    with closing(Database(settings.database, timeout_seconds=settings.database_timeout_seconds)) as database:
        try:
            with database.reading() as session:
                return MigrationContext.configure(session.connection()).get_current_revision()
        except DatabaseUnavailable as error:
            reason = getattr(error.__cause__, "orig", None) or error.detail
            raise ServiceDied(f"The database does not answer: {_first_line(reason)}") from error


def _first_line(reason: object) -> str:
    return str(reason).partition("\n")[0]


def alembic_config(settings: Settings) -> Config:
    url = Database(settings.database).url  # also makes the folder of a SQLite file
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
    return config
