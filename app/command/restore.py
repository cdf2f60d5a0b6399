"""A backup into an empty database and an empty storage, of whatever kinds."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from app.command.archive import HEAD, OBJECTS, Damage, Head, Report, copied, read_head
from app.command.backup import fetch_rows
from app.command.failures import CommandFailed
from app.command.rows import insert, is_empty, lines, objects_of
from app.command.schema import bring_to, migrate
from app.core import ownership
from app.core.database import Database
from app.core.settings import Settings
from app.core.storage import Storage

MARK = "restoring.json"
"""What an unfinished restore leaves in storage, so that the same can go on."""


def restore(
    archive: Storage, settings: Settings, database: Database, storage: Storage, *, allow_missing: bool, report: Report
) -> tuple[Head, dict[str, Damage]]:
    """Copy objects, then write all rows at once and bring them to the newest schema; also what could not be copied.

    Raises
    ------
    CommandFailed
        There is no whole backup, the target is not empty, or something is damaged and `allow_missing` is not given.
    DatabaseUnavailable, StorageUnavailable
    """
    head = read_head(archive)
    if head is None:
        raise CommandFailed(f"There is no whole backup: {HEAD} is missing.")
    if not is_empty(database):
        raise CommandFailed("The database that the settings name is not empty; nothing was changed.")
    _mark(storage, head)
    with tempfile.TemporaryDirectory() as folder:
        rows = fetch_rows(archive, head, Path(folder))
        lacking = _copy(rows, archive, storage, report)
        if lacking and not allow_missing:
            named = ", ".join(sorted(lacking)[:5])
            raise CommandFailed(
                f"{len(lacking)} objects are missing from the backup or damaged ({named}); no row was written. "
                "--allow-missing restores all the rest."
            )
        bring_to(settings, head.schema_revision)
        insert(database, rows)
    migrate(settings)
    ownership.adopt(database, storage)
    storage.delete([MARK])
    return head, lacking


def _mark(storage: Storage, head: Head) -> None:
    """Refuse a storage that has objects, unless this very backup was being restored into it."""
    mark = json.dumps({"backup": head.id}).encode()
    found = storage.read(MARK)
    if found is None and set(storage.keys("")) - {ownership.OWNER_KEY}:
        raise CommandFailed("The storage that the settings name is not empty; nothing was changed.")
    if found not in {None, mark}:
        raise CommandFailed("Another backup was being restored into this storage; empty it first.")
    storage.put(mark, MARK)


def _copy(rows: Path, archive: Storage, storage: Storage, report: Report) -> dict[str, Damage]:
    lacking: dict[str, Damage] = {}
    for line in lines(rows):
        for each in objects_of(line):
            damage = copied(archive, f"{OBJECTS}/{each.key}", storage, each.key, each, report)
            if damage:
                lacking[each.key] = damage
    return lacking
