"""Whether a caller may take more: asked in the transaction that takes it, by one at a time."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import access
from app.core.database import serialise
from app.core.errors import JobTooCostly, QueueFull, QuotaExceeded
from app.core.records import Corpus, File, Job, JobState
from app.core.upload_records import PartialUpload


def check_uploads(session: Session, *, in_parts: bool = False) -> None:
    """Raise `QuotaExceeded` if what is stored by now, with this transaction, is too much.

    What still comes `in_parts` counts for those who send more of it: when it becomes a revision, that counts instead.
    """
    caller = access.current()
    quota = caller.quota
    if quota.max_bytes is None and quota.all_bytes is None:
        return
    serialise(session, "quota:bytes")
    for limit, owner, whose in ((quota.max_bytes, caller.owner, "this key"), (quota.all_bytes, None, "all keys")):
        if limit is not None and (n_bytes := _uploaded_bytes(session, owner, in_parts)) > limit:
            raise QuotaExceeded(
                f"The uploads of {whose} would have {n_bytes:,} bytes, with all revisions; {limit:,} are allowed. "
                "Delete corpora, files or older revisions.",
                n_bytes=n_bytes,
                limit_bytes=limit,
            )


def check_job(session: Session, cost: int | None) -> None:
    """Raise `JobTooCostly` for a job of such a cost, or `QueueFull` if as many wait as may."""
    caller = access.current()
    quota = caller.quota
    if cost is not None and quota.max_cost is not None and cost > quota.max_cost:
        raise JobTooCostly(
            f"The job costs {cost:,} (tokens x epochs x dim); {quota.max_cost:,} are allowed. Lower epochs or dim, or "
            "send less text.",
            cost=cost,
            limit_cost=quota.max_cost,
        )
    if quota.max_jobs is None and quota.all_jobs is None:
        return
    serialise(session, "quota:jobs")
    for limit, owner, whose in ((quota.max_jobs, caller.owner, " of this key"), (quota.all_jobs, None, "")):
        if limit is not None and (n_queued := _queued_jobs(session, owner)) >= limit:
            raise QueueFull(f"{n_queued} jobs{whose} wait, as many as may.", n_queued=n_queued, limit_jobs=limit)


def _uploaded_bytes(session: Session, owner: str | None, in_parts: bool) -> int:
    """Of an owner, or of all."""
    sums = [select(func.coalesce(func.sum(row.n_bytes), 0)) for row in (Corpus, File)]
    if in_parts:
        coming = select(func.coalesce(func.sum(PartialUpload.n_bytes), 0))
        sums.append(coming.where(PartialUpload.sealed_as.is_(None)))
    if owner is not None:
        sums = [total.filter_by(owner=owner) for total in sums]
    return sum(int(session.scalar(total) or 0) for total in sums)


def _queued_jobs(session: Session, owner: str | None) -> int:
    waiting = select(func.count()).select_from(Job).where(Job.state == JobState.QUEUED)
    return session.scalar(waiting if owner is None else waiting.where(Job.owner == owner)) or 0
