"""Rows for versions that lie complete in storage but that the database does not know: after a loss, or a backup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import catalog, ownership
from app.core.classifier.artefact import CLASSIFIER_FILE, ClassifierManifest, is_classifier, read_classifier
from app.core.database import Database
from app.core.errors import TableDamaged
from app.core.records import ModelKind, Version
from app.core.storage import Storage
from app.core.table.manifest import MANIFEST_FILE, Manifest, read_manifest
from app.core.table.reading import read_table


@dataclass(frozen=True)
class Found:
    """A version that no row names; `damage` says why it cannot be recovered."""

    prefix: str
    model: str
    manifest: Manifest | ClassifierManifest | None
    damage: str = ""
    number: int | None = None


def recover(
    database: Database, storage: Storage, *, model: str | None = None, only_look: bool = False
) -> Iterator[Found]:
    """Verify every such version and give it the next number of its model, the oldest first; then own the storage.

    Parameters
    ----------
    database : where rows are missing
    storage : where the versions lie
    model : the model of those whose manifest names none; else the name of their corpus
    only_look : change nothing
    """
    with database.reading() as session:
        known = set(session.scalars(select(Version.prefix)))
        models = {each.name for kind in ModelKind for each in catalog.list_models(session, kind)}
    found = [_look(storage, prefix, model) for prefix in sorted(ownership.complete_versions(storage) - known)]
    for each in sorted(found, key=lambda each: str(each.manifest.created_at) if each.manifest else ""):
        if each.manifest is None or only_look:
            yield each
            continue
        content = storage.read(f"{each.prefix}/{MANIFEST_FILE}") or b""
        with database.transaction() as session:
            base = _base(session, each.manifest)
            if base is None and isinstance(each.manifest, ClassifierManifest):
                told = "the version that it stands on is not there"
                yield Found(each.prefix, each.model, None, told)
                continue
            version = catalog.add_recovered(
                session, each.model, each.prefix, content, moves_latest=each.model not in models, base=base
            )
            yield Found(each.prefix, each.model, each.manifest, number=version.number)
    if not only_look:
        ownership.adopt(database, storage)


def _look(storage: Storage, prefix: str, model: str | None) -> Found:
    try:
        if is_classifier(storage.read(f"{prefix}/{MANIFEST_FILE}") or b""):
            found = read_classifier(storage.local_folder(prefix, [CLASSIFIER_FILE, MANIFEST_FILE])).manifest
            return Found(prefix, found.classifier, found)
        manifest = read_manifest(storage.local_folder(prefix, [MANIFEST_FILE]))
        read_table(storage.local_folder(prefix, manifest.files), manifest)
    except (TableDamaged, OSError) as error:
        return Found(prefix, model or "", None, str(error))
    return Found(prefix, manifest.model or model or manifest.origin.made_of, manifest)


def _base(session: Session, manifest: Manifest | ClassifierManifest) -> Version | None:
    """The version with the manifest that a classifier says it stands on; it is older, and so was recovered before."""
    if not isinstance(manifest, ClassifierManifest):
        return None
    return session.scalar(select(Version).where(Version.manifest_sha256 == manifest.base.manifest_sha256).limit(1))
