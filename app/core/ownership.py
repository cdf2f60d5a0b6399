"""Whose storage is it: a mark in the storage names the database that knows what lies there.

Whoever deletes what no row names must first be sure that it is the right database's rows: an empty database, a mistyped
address or an older backup know nothing of versions that somebody serves.
"""

from __future__ import annotations

import json

from sqlalchemy import select

from app.core import names
from app.core.database import Database
from app.core.errors import StorageForeign
from app.core.records import Installation, Version
from app.core.storage import Storage
from app.core.table.manifest import MANIFEST_FILE

OWNER_KEY = "owner.json"


def claim(database: Database, storage: Storage) -> None:
    """Make sure that the storage is this database's, and mark one that has no mark yet.

    Raises
    ------
    StorageForeign
        Another database owns it, or it has versions of which this database knows none.
    """
    with database.reading() as session:
        mine = session.scalars(select(Installation.id)).one()
        known = set(session.scalars(select(Version.prefix)))
    found = storage.read(OWNER_KEY)
    if found is None:
        published = complete_versions(storage)
        if published and not published & known:
            raise StorageForeign(
                f"The storage has {len(published)} versions, of which this database knows none; "
                "if they are its own, run: wordkin recover",
                n_versions=len(published),
            )
        storage.put_new(_mark(mine), OWNER_KEY)
        found = storage.read(OWNER_KEY) or b"{}"
    owner = json.loads(found).get("database")
    if owner != mine:
        raise StorageForeign(f"The storage belongs to the database {owner}, not to this one, {mine}.", owner=owner)


def adopt(database: Database, storage: Storage) -> None:
    """Mark the storage as this database's, whoever had it."""
    with database.reading() as session:
        mine = session.scalars(select(Installation.id)).one()
    storage.put(_mark(mine), OWNER_KEY)


def complete_versions(storage: Storage) -> set[str]:
    """The folders of versions that have been written to their end."""
    return {names.folder_of(key) for key in storage.keys(names.VERSIONS) if key.endswith(f"/{MANIFEST_FILE}")}


def _mark(database_id: str) -> bytes:
    return json.dumps({"database": database_id}).encode()
