"""``wordkin recover``: rows for versions that the database does not know."""

from __future__ import annotations

from contextlib import closing

from rich.console import Console
from rich.markup import escape

from app.command.recovery import recover
from app.core.database import Database
from app.core.names import reference
from app.core.settings import Settings
from app.core.storage import Storage


def run(settings: Settings, console: Console, *, model: str | None, only_look: bool) -> None:
    storage = Storage(settings.storage, cache=settings.cache)
    with closing(Database(settings.database, timeout_seconds=settings.database_timeout_seconds)) as database:
        n_found = 0
        for found in recover(database, storage, model=model, only_look=only_look):
            n_found += 1
            told = found.damage or (reference(found.model, found.number) if found.number else f"of {found.model}")
            console.print(f"{found.prefix}: {escape(told)}", highlight=False, soft_wrap=True)
    console.print(f"{n_found} versions without a row." if n_found else "Every version in storage has its row.")
