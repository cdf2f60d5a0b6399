"""``wordkin backup``, ``restore`` and ``verify``: that nothing is lost, in database and storage of the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command.failures import CommandFailed, WrongUsage
from app.command.options import AsJson
from app.command.output import errors, say, say_json, size

if TYPE_CHECKING:
    from app.command.archive import Report
    from app.core.database import Database
    from app.core.settings import Settings
    from app.core.storage import Storage

Place = Annotated[str, typer.Argument(metavar="FOLDER", help="Or an address: s3://bucket/path, gs://..., az://...")]


def backup(place: Place, as_json: AsJson = False) -> None:
    """Copy database and storage into a folder, while the service goes on working.

    Every row of the copy has its object, verified by its digest.
    An earlier backup there is renewed: only new objects are copied,
    and until the end it stays whole.

    Not copied: checkpoints of trainings, uploads that are not finished.

    It has the digests of keys: keep it as closed as the database.

    Exit code 1 if an object was lost or damaged; the rest is in the backup.
    """
    from app.command import backup as backups
    from app.command.archive import is_local

    if is_local(place):
        Path(place).mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened() as (_, database, storage), _progress("copied") as report:
        head = backups.backup(database, storage, _archive(place), report)
    if as_json:
        say_json(head.model_dump(mode="json"))
    else:
        told = ", ".join(f"{head.tables.get(table, 0)} {table}" for table in ("corpora", "files", "versions", "jobs"))
        say(f"{place}: {told}; {head.n_objects} objects of {size(head.n_bytes)}.")
    if head.lacking:
        raise CommandFailed(_lacking(head.lacking))


def restore(
    place: Place,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", metavar="", help="Go on without objects that the backup lacks.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a backup into an empty database and an empty storage, of whatever kinds; stop the service first.

    They are those that WORDKIN_DATABASE_URL and WORDKIN_STORAGE_URL name.
    SQLite may become PostgreSQL, and a folder an object store, or back.

    Every digest is verified before a row is written; then the rows are
    brought to the newest schema. After an interruption the same command
    goes on.
    """
    from app.command import restore as restoring
    from app.command.archive import is_local

    if is_local(place) and not Path(place).is_dir():
        raise WrongUsage(f"There is no folder {place}.")
    with _opened() as (settings, database, storage), _progress("restored") as report:
        archive = _archive(place)
        head, lacking = restoring.restore(
            archive, settings, database, storage, allow_missing=allow_missing, report=report
        )
    if as_json:
        say_json({"backup": head.model_dump(mode="json"), "lacking": lacking})
    else:
        say(f"Restored: {head.n_objects} objects of {size(head.n_bytes)}, as of {head.created_at:%Y-%m-%d %H:%M} UTC.")
    if lacking:
        raise CommandFailed(_lacking(lacking))


def verify(
    backup_at: Annotated[
        str | None, typer.Option("--backup", metavar="FOLDER", help="Verify a backup, not the service's own storage.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read every object of every corpus, file and version, and compare it with its digest.

    What is missing or different is named with what it belongs to,
    and the exit code is 1. The service may go on working.

    Objects that nothing needs are listed, too: those are no damage,
    and a trainer puts them away.
    """
    from dataclasses import asdict

    from app.command import scrub
    from app.command.archive import is_local

    if backup_at and is_local(backup_at) and not Path(backup_at).is_dir():
        raise WrongUsage(f"There is no folder {backup_at}.")
    with _progress("read") as report:
        if backup_at:
            with _translated():
                found = scrub.scrub_backup(_archive(backup_at), report)
        else:
            with _opened() as (_, database, storage):
                found = scrub.scrub(database, storage, report)
    if as_json:
        say_json(asdict(found))
    else:
        for each in found.damaged:
            say(f"{each.damage}: {each.key} ({each.owner})")
        for key in found.unowned:
            say(f"unowned: {key}")
        say(f"{found.n_objects} objects of {size(found.n_bytes)} were read.")
    if found.damaged:
        raise CommandFailed(f"{len(found.damaged)} objects are missing or not what was stored.")


def _lacking(lacking: Mapping[str, str]) -> str:
    told = "; ".join(f"{key} is {damage}" for key, damage in sorted(lacking.items())[:5])
    return f"{len(lacking)} objects could not be copied: {told}. wordkin verify names what they belong to."


def _archive(place: str) -> Storage:
    import tempfile

    from app.command.archive import url_of
    from app.core.storage import Storage

    return Storage(url_of(place), cache=Path(tempfile.gettempdir()))


@contextmanager
def _translated() -> Iterator[None]:
    from app.core.errors import WordkinError

    try:
        yield
    except WordkinError as error:
        raise CommandFailed(error.detail, error.problem()) from error


@contextmanager
def _opened() -> Iterator[tuple[Settings, Database, Storage]]:
    """What the settings name."""
    from app.core.database import Database
    from app.core.settings import Settings
    from app.core.storage import Storage

    settings = Settings.of_process()
    with _translated():
        storage = Storage(settings.storage, cache=settings.cache)
        with closing(Database(settings.database, timeout_seconds=settings.database_timeout_seconds)) as database:
            yield settings, database, storage


@contextmanager
def _progress(did: str) -> Iterator[Report]:
    """How much was read, on a terminal."""
    from rich.progress import FileSizeColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

    columns = (SpinnerColumn(), TextColumn(did), FileSizeColumn(), TransferSpeedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda n_bytes: progress.advance(task, n_bytes)
