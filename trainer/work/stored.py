"""Files and versions from storage, and a version's files into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.core.errors import FileDamaged, FileMissing
from app.core.payloads import FileSource, VersionSource
from app.core.storage import Storage
from app.core.table.digests import FileDigest, digest_of
from app.core.table.manifest import MANIFEST_FILE, Manifest, Written, read_manifest
from app.core.table.reading import Table, read_table
from trainer.work.context import Context
from trainer.work.messages import Publishes


def store_version(
    storage: Storage, prefix: str, folder: Path, written: Written, told: dict[str, Any] | None = None
) -> Publishes:
    """Put a version into storage; it exists once its manifest does, which is written last and only once.

    `told` goes into the job's result.
    """
    for name in written.manifest.files:
        storage.put_file(folder / name, f"{prefix}/{name}")
    if not storage.put_new(written.content, f"{prefix}/{MANIFEST_FILE}"):
        raise RuntimeError(f"{prefix} has a manifest already")
    return Publishes(written.sha256, json.loads(written.content), told or {})


def local_file(context: Context, file: FileSource) -> Path:
    """A file on this machine, or raise `FileMissing`."""
    if not context.storage.exists(file.key):
        raise FileMissing(f"The content of the file {file.name!r} is not in storage; upload it again.", key=file.key)
    return context.storage.local_file(file.key, context.scratch / file.key.rpartition("/")[2])


def verified_file(context: Context, file: FileSource) -> Path:
    """The same, when its content has been verified; raises `FileDamaged`, too."""
    path = local_file(context, file)
    check_content(file, digest_of(path))
    return path


def check_content(file: FileSource, found: FileDigest) -> None:
    """Raise `FileDamaged` if this is not what was uploaded."""
    if found.sha256 != file.sha256:
        raise FileDamaged(f"The stored content of {file.name!r} is not what was uploaded.")


def manifest_of(context: Context, version: VersionSource) -> Manifest:
    """A version's manifest, verified; raises `TableDamaged`."""
    folder = context.storage.local_folder(version.prefix, [MANIFEST_FILE])
    return read_manifest(folder, version.manifest_sha256)


def open_version(context: Context, version: VersionSource) -> Table:
    """A version's table, verified; raises `TableDamaged`."""
    manifest = manifest_of(context, version)
    return read_table(context.storage.local_folder(version.prefix, manifest.files), manifest)
