"""Our own bundle: a tar of the version's folder as it is stored, bit for bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from app.core.catalog import PublishedVersion
from app.core.errors import TableDamaged
from app.core.storage import Storage
from app.core.table.digests import FileDigest
from app.core.table.manifest import MANIFEST_FILE, parse_manifest
from app.models.exports.tar import Member


def members_of(published: PublishedVersion, storage: Storage) -> list[Member]:
    """The manifest, then its files by name; raises `TableDamaged` if it is not the one that was published."""
    manifest = storage.read(f"{published.prefix}/{MANIFEST_FILE}")
    if manifest is None or hashlib.sha256(manifest).hexdigest() != published.manifest_sha256:
        raise TableDamaged(f"{MANIFEST_FILE} does not have the digest it was published with.")
    files = parse_manifest(json.loads(manifest)).files
    return [
        Member.of(MANIFEST_FILE, manifest),
        *(
            Member(name, files[name].n_bytes, _verified(storage, f"{published.prefix}/{name}", files[name]))
            for name in sorted(files)
        ),
    ]


def _verified(storage: Storage, key: str, expected: FileDigest) -> Iterator[bytes]:
    """The bytes of an object; an error before the last of them if they are not what the manifest says."""
    digest, held = hashlib.sha256(), b""
    for piece in storage.stream(key):
        yield held
        held = bytes(piece)
        digest.update(held)
    if digest.hexdigest() != expected.sha256:
        raise TableDamaged(f"{key.rpartition('/')[2]} does not have the digest its manifest states.")
    yield held
