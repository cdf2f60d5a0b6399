"""What unfinished jobs still read, and must therefore stay."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.jobs import ENDED
from app.core.records import Job, Model


def readers(session: Session) -> dict[str, str]:
    """Each thing that an unfinished job reads, and the job: corpora and files by id, versions as ``model@3``."""
    unfinished = select(Job.id, Job.corpus_id, Job.file_ids, Job.versions).where(Job.state.not_in(ENDED))
    found: dict[str, str] = {}
    for job, corpus, files, versions in session.execute(unfinished):
        found |= dict.fromkeys([*filter(None, [corpus]), *(files or ()), *(versions or ())], job)
    return found


def policies(session: Session) -> dict[str, str]:
    """Each file, by its key in storage, that the policy of a model names, and the model."""
    found = session.execute(select(Model.name, Model.policy).where(Model.policy.is_not(None)))
    return {file["key"]: name for name, policy in found for file in policy["files"].values()}
