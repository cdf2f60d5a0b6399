"""A backup: rows, the objects that they name, and a head that is written last and says what belongs to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Literal

from obstore.exceptions import NotFoundError
from pydantic import BaseModel, ConfigDict, ValidationError

from app.command.failures import CommandFailed
from app.command.rows import NamedObject
from app.core.storage import Storage
from app.core.table.digests import FileDigest

HEAD = "backup.json"
OBJECTS = "objects"
Damage = Literal["missing", "different"]
Report = Callable[[int], None]
"""Is told how many more bytes were read."""


class Head(BaseModel):
    """What a backup is. `lacking` are objects that were lost or damaged when it was made, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    id: str
    installation: str
    schema_revision: str
    code_version: str
    created_at: datetime
    rows_file: str
    rows: FileDigest
    tables: dict[str, int]
    n_objects: int
    n_bytes: int
    lacking: dict[str, Damage]


class Changed(Exception):
    """An object has another digest than its row says."""


def is_local(place: str) -> bool:
    return "://" not in place


def url_of(place: str) -> str:
    """Of a folder, or of an object store."""
    return Path(place).resolve().as_uri() if is_local(place) else place


def read_head(archive: Storage) -> Head | None:
    """The head of the backup that is there, if one is; raises `CommandFailed` for one that cannot be read."""
    content = archive.read(HEAD)
    if content is None:
        return None
    try:
        return Head.model_validate_json(content)
    except ValidationError as error:
        raise CommandFailed(f"{HEAD} is not of a backup that this release can read.") from error


def copied(source: Storage, key: str, target: Storage, to: str, expected: NamedObject, report: Report) -> Damage | None:
    """Copy an object unless it is there, verified on its way; what is wrong with it, and then nothing is written."""
    if target.exists(to) and damage_of(target, to, expected, report) is None:
        return None
    try:
        pieces = source.stream(key)
        first = next(pieces, memoryview(b""))
    except (NotFoundError, FileNotFoundError):
        return "missing"
    try:
        with target.writer(to) as writer:
            check = _Check(expected, report)
            for piece in chain([first], pieces):
                writer.write(bytes(piece))
                check.update(piece)
            check.finish()
    except Changed:
        return "different"
    return None


def damage_of(storage: Storage, key: str, expected: NamedObject, report: Report) -> Damage | None:
    """What is wrong with an object; it is read to its end, piece by piece."""
    check = _Check(expected, report)
    try:
        for piece in storage.stream(key):
            check.update(piece)
        check.finish()
    except (NotFoundError, FileNotFoundError):
        return "missing"
    except Changed:
        return "different"
    return None


class _Check:
    def __init__(self, expected: NamedObject, report: Report) -> None:
        self._expected = expected
        self._report = report
        self._hash = hashlib.sha256()
        self._n_bytes = 0

    def update(self, piece: memoryview) -> None:
        self._hash.update(piece)
        self._n_bytes += len(piece)
        self._report(len(piece))

    def finish(self) -> None:
        if self._hash.hexdigest() != self._expected.sha256 or self._expected.n_bytes not in {None, self._n_bytes}:
            raise Changed


def total_bytes(objects: Iterable[NamedObject]) -> int:
    return sum(each.n_bytes or 0 for each in objects)
