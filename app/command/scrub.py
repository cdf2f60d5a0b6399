"""Every object that a row names is read and compared with its digest; what nothing names is told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.command.archive import HEAD, OBJECTS, Damage, Report, damage_of, read_head
from app.command.backup import fetch_rows
from app.command.failures import CommandFailed
from app.command.rows import Line, NamedObject, lines, objects_of, take
from app.core import names
from app.core.database import Database
from app.core.jobs import ENDED
from app.core.storage import Storage

GRACE = timedelta(hours=1)
"""What is younger may be on its way to its row; a trainer waits as long before it puts it away."""
SWEPT = (names.CORPORA, names.FILES, names.VERSIONS, names.CHECKPOINTS)


@dataclass(frozen=True)
class Damaged:
    """An object that is not what it should be, and what it belongs to."""

    key: str
    owner: str
    damage: Damage


@dataclass
class Found:
    """What was read, what is wrong, and the objects that nothing needs."""

    n_objects: int = 0
    n_bytes: int = 0
    damaged: list[Damaged] = field(default_factory=list)
    unowned: list[str] = field(default_factory=list)


def scrub(database: Database, storage: Storage, report: Report, moment: datetime | None = None) -> Found:
    """Read everything that rows name; what is deleted meanwhile is not missed."""
    database.check()
    old = (moment or datetime.now(UTC)) - GRACE
    listed = [key for folder in SWEPT for key in storage.keys(folder, modified_before=old)]
    with tempfile.TemporaryDirectory() as folder:
        taken = take(database, Path(folder))
        found = _read(taken.lines(), storage, "", report)
        needed = _needed(taken.lines())
    if found.damaged:
        with tempfile.TemporaryDirectory() as folder:
            still = {each.key for line in take(database, Path(folder)).lines() for each in objects_of(line)}
        found.damaged = [each for each in found.damaged if each.key in still]
    found.unowned = [key for key in listed if key not in needed and names.folder_of(key) not in needed]
    found.unowned = [key for key in found.unowned if storage.exists(key)]
    return found


def scrub_backup(archive: Storage, report: Report) -> Found:
    """The same of a backup, which has nothing beyond what its rows name."""
    head = read_head(archive)
    if head is None:
        raise CommandFailed(f"There is no whole backup: {HEAD} is missing.")
    with tempfile.TemporaryDirectory() as folder:
        return _read(lines(fetch_rows(archive, head, Path(folder))), archive, f"{OBJECTS}/", report)


def _read(found_lines: Iterator[Line], storage: Storage, below: str, report: Report) -> Found:
    found = Found()

    def counted(n_bytes: int) -> None:
        found.n_bytes += n_bytes
        report(n_bytes)

    for each in _objects(found_lines):
        found.n_objects += 1
        damage = damage_of(storage, f"{below}{each.key}", each, counted)
        if damage:
            found.damaged.append(Damaged(each.key, each.owner, damage))
    return found


def _objects(found_lines: Iterator[Line]) -> Iterator[NamedObject]:
    return (each for line in found_lines for each in objects_of(line))


def _needed(found_lines: Iterator[Line]) -> set[str]:
    """Keys that rows name, and folders that unfinished jobs write to."""
    found: set[str] = set()
    for table, row in found_lines:
        found |= {each.key for each in objects_of((table, row))}
        if table == "jobs" and row["state"] not in ENDED:
            found |= {names.checkpoint_folder(row["id"]), names.attempt_prefix(row["id"], row["lease_token"] or "")}
    return found
