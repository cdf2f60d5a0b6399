"""Database and storage into a folder or an object store, while the service goes on working.

Objects never change, so rows of one moment are taken first and their objects copied after. What was deleted meanwhile
is missed: then rows are taken once more, and what they name beyond the first ones is copied, until nothing is missed.
Where uploads come and go faster than that, the rows of those that went are left out, as if they had gone just before.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from app.command.archive import HEAD, OBJECTS, Damage, Head, Report, copied, read_head, total_bytes
from app.command.failures import CommandFailed
from app.command.rows import NamedObject, Taken, objects_of, take, without
from app.core import names
from app.core.database import Database
from app.core.storage import Storage
from app.core.table.digests import FileDigest, digest_of

MOST_ROUNDS = 4
"""How often rows are taken once more; what is missed twice in succession is not deleted but lost."""


def backup(database: Database, storage: Storage, archive: Storage, report: Report) -> Head:
    """Make or renew a backup; the one that is there stays whole until the new one is.

    Raises
    ------
    CommandFailed
        What is there is no backup of this database, or there is not enough space.
    DatabaseUnavailable, StorageUnavailable
    """
    database.check()
    previous = read_head(archive)
    if previous is None and any(not key.startswith(f"{OBJECTS}/") for key in archive.keys("")):
        raise CommandFailed("What lies there is no backup; name an empty folder, or one with an earlier backup.")
    done: dict[str, str] = {}
    before: Mapping[str, Damage] = {}
    for last in (False,) * MOST_ROUNDS + (True,):
        with tempfile.TemporaryDirectory() as folder:
            taken = take(database, Path(folder))
            installation = next((str(row["id"]) for table, row in taken.lines() if table == "installation"), "")
            if previous and previous.installation != installation:
                raise CommandFailed(f"The backup there is of another database, {previous.installation}.")
            lacking = _copy(taken, storage, archive, done, report)
            deleted = lacking.keys() - before.keys()
            if last and not any(key.startswith(names.VERSIONS) for key in deleted):
                taken = without(taken, deleted)
                deleted, lacking = set(), {key: why for key, why in lacking.items() if key in before}
            if not deleted:
                return _finish(taken, archive, installation, lacking)
            before = lacking
    raise CommandFailed("More was deleted while objects were copied than could be followed; try again.")


def _objects(taken: Taken) -> Iterator[NamedObject]:
    return (each for line in taken.lines() for each in objects_of(line))


def _copy(taken: Taken, storage: Storage, archive: Storage, done: dict[str, str], report: Report) -> dict[str, Damage]:
    """Copy what the rows name and what is not `done`, which it then is; what could not be copied, and why."""
    _check_space(taken, archive)
    lacking: dict[str, Damage] = {}
    for each in _objects(taken):
        if done.get(each.key) == each.sha256:
            continue
        damage = copied(storage, each.key, archive, f"{OBJECTS}/{each.key}", each, report)
        if damage:
            lacking[each.key] = damage
        else:
            done[each.key] = each.sha256
    return lacking


def _check_space(taken: Taken, archive: Storage) -> None:
    free = archive.free_bytes()
    if free is None:
        return
    there = set(archive.keys(OBJECTS))
    needed = total_bytes(each for each in _objects(taken) if f"{OBJECTS}/{each.key}" not in there)
    if needed > free:
        raise CommandFailed(f"The backup needs {needed} bytes more, and {free} are free there.")


def _finish(taken: Taken, archive: Storage, installation: str, lacking: dict[str, Damage]) -> Head:
    """Write rows and head, and remove what only an earlier backup needs."""
    backup_id = secrets.token_hex(8)
    sizes = {each.key: each.n_bytes or 0 for each in _objects(taken) if each.key not in lacking}
    head = Head(
        id=backup_id,
        installation=installation,
        schema_revision=taken.schema,
        code_version=version("wordkin"),
        created_at=datetime.now(UTC),
        rows_file=f"rows-{backup_id}.jsonl.gz",
        rows=digest_of(taken.path),
        tables=dict(taken.tables),
        n_objects=len(sizes),
        n_bytes=sum(sizes.values()),
        lacking=lacking,
    )
    archive.put_file(taken.path, head.rows_file)
    archive.put(head.model_dump_json(indent=1).encode(), HEAD)
    found = read_head(archive)
    if found and found.id == backup_id:  # not if another backup came to its end just now
        kept = {HEAD, head.rows_file, *(f"{OBJECTS}/{key}" for key in sizes)}
        archive.delete(key for key in archive.keys("") if key not in kept)
    return head


def fetch_rows(archive: Storage, head: Head, folder: Path) -> Path:
    """The rows of a backup as a local file, verified."""
    path, digest, n_bytes = folder / "rows.jsonl.gz", hashlib.sha256(), 0
    if not archive.exists(head.rows_file):
        raise CommandFailed(f"{head.rows_file} is missing from the backup.")
    with path.open("wb") as file:
        for piece in archive.stream(head.rows_file):
            digest.update(piece)
            n_bytes += file.write(piece)
    if FileDigest(n_bytes=n_bytes, sha256=digest.hexdigest()) != head.rows:
        raise CommandFailed(f"{head.rows_file} of the backup is damaged: it does not have the digest it was made with.")
    return path
