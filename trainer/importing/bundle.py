"""A version of a model as a tar of its folder: unpacked by a fixed list of names, and verified as a stranger's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from app.core.errors import TableDamaged, VectorsUnreadable
from app.core.names import Name
from app.core.table.digests import PIECE_BYTES
from app.core.table.manifest import (
    INDEX_FILE,
    MANIFEST_FILE,
    RESOURCE_NAME,
    TABLE_FILE,
    Manifest,
    Written,
    parse_manifest,
)
from app.core.table.reading import Table, open_table
from app.core.tar import Member, members
from trainer.importing.soundness import unsound
from trainer.importing.source import check_shape

MAX_MANIFEST_BYTES = 16 << 20
_CANNOT_BE_READ = (TableDamaged, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def unpack(path: Path, folder: Path) -> tuple[Table, Written]:
    """Write a bundle's files into an empty folder, and open its table.

    ``index.faiss`` is written too, so that its digest can be verified, and never opened.

    Raises
    ------
    VectorsUnreadable
        Of members: with the byte. Of the table: with what does not fit.
    """
    with path.open("rb") as file:
        found = _listed(file, path.stat().st_size)
        for member in found.values():
            _copy(file, member, folder)
    try:
        content = (folder / MANIFEST_FILE).read_bytes()
        manifest = _manifest(content)
        if wrong := _wrong_files(manifest, found):
            raise TableDamaged(wrong)
        check_shape(manifest.n_words, manifest.dim)
        table = open_table(folder)
        wrong = unsound(table)
    except _CANNOT_BE_READ as error:
        start = found[MANIFEST_FILE].start
        raise VectorsUnreadable(f"The bundle (manifest at byte {start}): {_told(error)}", byte=start) from error
    except RecursionError as error:
        raise VectorsUnreadable("The bundle's JSON is nested too deep.", byte=found[MANIFEST_FILE].start) from error
    if wrong:
        start = found[TABLE_FILE].start
        raise VectorsUnreadable(f"The bundle's {TABLE_FILE} (at byte {start}) is not sound: {wrong}.", byte=start)
    return table, Written(manifest, content)


def _listed(file: BinaryIO, n_bytes: int) -> dict[str, Member]:
    """The members by name, none but those that a version has."""
    found: dict[str, Member] = {}
    for member in members(file):
        is_known = member.name in {MANIFEST_FILE, TABLE_FILE, INDEX_FILE} or RESOURCE_NAME.fullmatch(member.name)
        most = MAX_MANIFEST_BYTES if member.name == MANIFEST_FILE else n_bytes - member.start
        if not is_known or member.name in found or member.n_bytes > most:
            raise VectorsUnreadable(
                f"Byte {member.start}: the member {member.name[:80]!r} of {member.n_bytes} bytes is none of a bundle, "
                "or came before, or is larger than the file.",
                byte=member.start,
            )
        found[member.name] = member
    for name in MANIFEST_FILE, TABLE_FILE:
        if name not in found:
            raise VectorsUnreadable(f"The bundle has no {name}; it ends at byte {n_bytes}.", byte=n_bytes)
    return found


def _copy(file: BinaryIO, member: Member, folder: Path) -> None:
    target = folder / member.name
    target.parent.mkdir(exist_ok=True)
    file.seek(member.start)
    left = member.n_bytes
    with target.open("wb") as copy:
        while left:
            piece = file.read(min(left, PIECE_BYTES))
            copy.write(piece)
            left -= len(piece)


def _manifest(content: bytes) -> Manifest:
    """The manifest, if all that it says can be stored and told again."""
    said = json.loads(content, parse_constant=_refuse)
    if "\0" in json.dumps(said, ensure_ascii=False).encode().decode() or b"\\u0000" in content:
        raise TableDamaged(f"{MANIFEST_FILE} holds the character U+0000.")
    manifest = parse_manifest(said)
    if manifest.model is not None:
        _names.validate_python(manifest.model)
    return manifest


_names: TypeAdapter[str] = TypeAdapter(Name)


def _told(error: Exception) -> str:
    """What is wrong, in one line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{MANIFEST_FILE}: {'.'.join(map(str, first['loc']))[:200]}: {first['msg'][:200]}"
    return str(error)[:300] or type(error).__name__


def _refuse(constant: str) -> Any:
    raise TableDamaged(f"{MANIFEST_FILE} holds {constant}, which is no number of JSON.")


def _wrong_files(manifest: Manifest, found: dict[str, Member]) -> str | None:
    """What keeps the members from being those that the manifest lists."""
    if listed := manifest.files.keys() ^ (found.keys() - {MANIFEST_FILE}):
        return f"{sorted(listed)[:5]} is listed in {MANIFEST_FILE} or in the tar, and not in both."
    if 4 * manifest.n_words * manifest.dim > found[TABLE_FILE].n_bytes:
        return f"{manifest.n_words} words of {manifest.dim} numbers are more than {TABLE_FILE} can hold."
    if manifest.index.kind == "flat" and manifest.index.recall_at_10 != 1:
        return "An index that scans finds everything."
    return None
