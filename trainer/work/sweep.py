"""Removes what dead attempts left in storage.

What a row names, or a live attempt still writes, is never touched. What nobody can explain stays: it may be another
database's, or newer than a backup. What goes is kept in quarantine for some days before it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select

from app.core import catalog, names, ownership
from app.core.catalog import partial, removal
from app.core.database import Database
from app.core.errors import StorageForeign
from app.core.records import Corpus, File, Job, JobState, Version
from app.core.storage import Storage
from app.core.table.manifest import MANIFEST_FILE
from app.core.watching import events, webhooks

UPLOAD_GRACE = timedelta(hours=1)
"""An upload has no row until it is complete; afterwards it gets one within moments."""
ATTEMPT_GRACE = timedelta(hours=1)
UNKNOWN_GRACE = timedelta(days=1)
QUARANTINE = timedelta(days=7)

logger = structlog.get_logger()


def discard(database: Database, storage: Storage, prefix: str) -> None:
    """Delete the files of one's own attempt unless its version was published or its lease is alive."""
    keys = storage.keys(prefix)
    if keys and not _is_needed(database, prefix):
        storage.delete(keys)
        logger.info("attempt discarded", action="attempt_discarded", prefix=prefix, n_files=len(keys))


def discard_checkpoints(database: Database, storage: Storage, job_ids: Iterable[str]) -> None:
    """Delete the checkpoints of those jobs that have ended."""
    with database.reading() as session:
        ended = select(Job.id).where(Job.id.in_(list(job_ids)), Job.state.not_in([JobState.QUEUED, JobState.RUNNING]))
        found = session.scalars(ended).all()
    for job_id in found:
        storage.delete(storage.keys(names.checkpoint_folder(job_id)))


def sweep(database: Database, storage: Storage, moment: datetime | None = None) -> None:
    """Delete old events and messages, and go through all of storage once, unless it is another database's."""
    moment = moment or datetime.now(UTC)
    with database.transaction() as session:
        events.forget(session)
        webhooks.forget(session)
    try:
        ownership.claim(database, storage)
    except StorageForeign as error:
        logger.error("storage not swept", action="storage_foreign", reason=error.detail)
        return
    _delete_superfluous(database, storage)
    _sweep_attempts(database, storage, moment)
    discard_checkpoints(database, storage, {key.split("/")[1] for key in storage.keys(names.CHECKPOINTS)})
    _sweep_uploads(database, storage, moment)
    _sweep_parts(database, storage, moment)
    _empty_quarantine(storage, moment)
    if n_bytes := storage.remove_unfinished(moment - UPLOAD_GRACE):
        logger.info("unfinished writes removed", action="unfinished_removed", n_bytes=n_bytes)


def _delete_superfluous(database: Database, storage: Storage) -> None:
    """Of models that keep so many versions, delete the older ones."""
    with database.reading() as session:
        models = [model.name for model in catalog.list_models(session) if model.keep_versions is not None]
    for model in models:
        with database.transaction() as session:
            prefixes = removal.delete_superfluous(session, model)
        for prefix in prefixes:
            storage.delete_folder(prefix)
            logger.info("version removed", action="version_removed", model=model, prefix=prefix)


def _is_needed(database: Database, prefix: str) -> bool:
    """Whether the version was published, its attempt is alive, or its job is not known here."""
    job_id, token = names.attempt_of(prefix)
    with database.reading() as session:
        is_published = session.scalar(select(Version.number).where(Version.prefix == prefix)) is not None
        job = session.get(Job, job_id)
    return is_published or job is None or job.lease_token == token


def _sweep_attempts(database: Database, storage: Storage, moment: datetime) -> None:
    attempts: dict[str, dict[str, datetime]] = {}
    for key, modified in storage.modified(names.VERSIONS).items():
        attempts.setdefault(names.folder_of(key), {})[key] = modified
    with database.reading() as session:
        known = set(session.scalars(select(Job.id)))
        published = set(session.scalars(select(Version.prefix)))
    for prefix, files in attempts.items():
        is_known = names.attempt_of(prefix)[0] in known
        if prefix not in published and f"{prefix}/{MANIFEST_FILE}" in files and not is_known:
            logger.warning(
                "version without a row", action="version_unknown", prefix=prefix, remedy="run: wordkin recover"
            )
            continue
        is_old = max(files.values()) < moment - (ATTEMPT_GRACE if is_known else UNKNOWN_GRACE)
        if is_old and not (is_known and _is_needed(database, prefix)):
            _put_away(storage, files, moment)


def _sweep_uploads(database: Database, storage: Storage, moment: datetime) -> None:
    for folder, rows in ((names.CORPORA, Corpus), (names.FILES, File)):
        keys = storage.keys(folder, modified_before=moment - UPLOAD_GRACE)
        with database.reading() as session:
            named = set(session.scalars(select(rows.key)))
        _put_away(storage, [key for key in keys if key not in named], moment)


def _sweep_parts(database: Database, storage: Storage, moment: datetime) -> None:
    """Of uploads that have expired, and what two senders of the same bytes have left."""
    with database.transaction() as session:
        expired = partial.remove_expired(session)
    storage.delete(expired)
    keys = storage.keys(names.UPLOADS, modified_before=moment - UPLOAD_GRACE)
    with database.reading() as session:
        named = partial.all_keys(session)
    storage.delete(key for key in keys if key not in named)


def _put_away(storage: Storage, keys: Iterable[str], moment: datetime) -> None:
    for key in keys:
        storage.move(key, names.quarantine_key(key, moment.date().isoformat()))
        logger.info("put into quarantine", action="quarantined", key=key)


def _empty_quarantine(storage: Storage, moment: datetime) -> None:
    last = (moment - QUARANTINE).date().isoformat()
    storage.delete(key for key in storage.keys(names.QUARANTINE) if key.split("/")[1] < last)
