"""``wordkin recover``: rows for versions that the database does not know."""

from __future__ import annotations

from contextlib import closing

from rich.console import Console
from rich.markup import escape

from app.command.failures import CommandFailed
from app.command.output import say_json
from app.command.recovery import recover
from app.core.database import Database
from app.core.errors import WordkinError
from app.core.names import reference
from app.core.settings import Settings
from app.core.storage import Storage


def run(settings: Settings, console: Console, *, model: str | None, only_look: bool, as_json: bool) -> None:
    listed = []
    try:
        storage = Storage(settings.storage, cache=settings.cache)
        with closing(Database(settings.database, timeout_seconds=settings.database_timeout_seconds)) as database:
            for found in recover(database, storage, model=model, only_look=only_look):
                told = {"prefix": found.prefix, "model": found.model, "version": found.number, "damage": found.damage}
                listed.append(told)
                if not as_json:
                    name = reference(found.model, found.number) if found.number else f"of {found.model}"
                    console.print(f"{found.prefix}: {escape(found.damage or name)}", highlight=False, soft_wrap=True)
    except WordkinError as error:
        raise CommandFailed(error.detail, error.problem()) from error
    if as_json:
        say_json({"versions": listed})
    else:
        console.print(f"{len(listed)} versions without a row." if listed else "Every version in storage has its row.")
