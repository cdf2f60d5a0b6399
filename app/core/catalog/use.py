"""What unfinished jobs still read, and must therefore stay."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.jobs import ENDED
from app.core.records import Job


def reader_of(session: Session, *things: str) -> str | None:
    """The id of a job that still needs one of these: corpora and files by id, versions as ``model@3``."""
    unfinished = select(Job.id, Job.corpus_id, Job.file_ids, Job.versions).where(Job.state.not_in(ENDED))
    for job, corpus, files, versions in session.execute(unfinished):
        if not {corpus, *(files or ()), *(versions or ())}.isdisjoint(things):
            return str(job)
    return None
