"""Removes what dead attempts left in storage. What a row names, or a live attempt still writes, is never touched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select

from app.core import names
from app.core.database import Database
from app.core.records import Corpus, Job, JobState, Version
from app.core.storage import Storage

UPLOAD_GRACE = timedelta(hours=1)
"""An upload has no row until it is complete; afterwards it gets one within moments."""

logger = structlog.get_logger()


def discard(database: Database, storage: Storage, prefix: str) -> None:
    """Delete the files of an attempt unless its version was published or its lease is alive."""
    keys = storage.keys(prefix)
    if not keys:
        return
    job_id, token = names.attempt_of(prefix)
    with database.reading() as session:
        is_published = session.scalar(select(Version.number).where(Version.prefix == prefix)) is not None
        is_alive = session.scalar(select(Job.id).where(Job.id == job_id, Job.lease_token == token)) is not None
    if not (is_published or is_alive):
        storage.delete(keys)
        logger.info("attempt discarded", action="attempt_discarded", prefix=prefix, n_files=len(keys))


def discard_checkpoints(database: Database, storage: Storage, job_ids: Iterable[str]) -> None:
    """Delete the checkpoints of those jobs that have ended."""
    job_ids = list(job_ids)
    with database.reading() as session:
        unfinished = select(Job.id).where(Job.id.in_(job_ids), Job.state.in_([JobState.QUEUED, JobState.RUNNING]))
        kept = set(session.scalars(unfinished))
    for job_id in set(job_ids) - kept:
        storage.delete(storage.keys(names.checkpoint_folder(job_id)))


def sweep(database: Database, storage: Storage) -> None:
    """Go through all of storage once."""
    for prefix in {names.folder_of(key) for key in storage.keys(names.VERSIONS)}:
        discard(database, storage, prefix)
    discard_checkpoints(database, storage, {key.split("/")[1] for key in storage.keys(names.CHECKPOINTS)})
    _sweep_uploads(database, storage)


def _sweep_uploads(database: Database, storage: Storage) -> None:
    before = datetime.now(UTC) - UPLOAD_GRACE
    keys = storage.keys(names.CORPORA, modified_before=before)
    with database.reading() as session:
        named = set(session.scalars(select(Corpus.key)))
    storage.delete(key for key in keys if key not in named)
