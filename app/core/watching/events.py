"""What has happened to jobs, in rows that are only ever added; each job numbers its own from 1 without gaps.

Whoever adds one holds the job's row until the end of the transaction. So the events of a job are committed in the order
of their numbers, and who has read up to one misses none before it. Numbers that all jobs share would not promise that:
on PostgreSQL a smaller one may be committed after a larger one was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from app.core.database import now
from app.core.records import Job, Record
from app.core.watching import outbox

PARTS = 50
"""How many parts of a job's progress are told apart: how far it is makes an event only when the next one begins."""
KEPT = 300
"""Events of a job, at most, the newest; more are there only if it was taken up and given back very often."""
KEPT_DAYS = 7.0
"""How long the events of a job stay when it has ended; its own row says then how."""
TOLD = ("phase", "step", "progress", "eta_seconds", "measures", "attempts", "cancel_requested_at", "started_at")
"""What an event keeps of its job, besides the state."""


class JobEvent(Record):
    """What a job was like when something had happened to it; goes with its job."""

    __tablename__ = "job_events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    told: Mapped[dict[str, Any]] = mapped_column(JSON(none_as_null=True))


def place(job: Job) -> tuple[str | None, ...]:
    """Where a job is, so coarsely that it gets to few places."""
    return job.phase, job.step, str(int(job.progress * PARTS))


def add(job: Job) -> None:
    """Write down what a job is like now; its row must be locked, or new."""
    session = _session(job)
    job.n_events += 1
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in _values(job, TOLD)}
    session.add(JobEvent(job_id=job.id, number=job.n_events, state=job.state, told=told))
    if job.n_events > KEPT:
        old = (JobEvent.job_id == job.id, JobEvent.number <= job.n_events - KEPT)
        session.execute(delete(JobEvent).where(*old))


def change(job: Job) -> None:
    """Write down that a job has a new state, and have other services told; its row must be locked, or new."""
    add(job)
    outbox.announce_job(_session(job), job)


def since(session: Session, job: Job, number: int) -> Sequence[tuple[int, Job]]:
    """The events after one of a job, as `job` knows it: each number, and what the job was like then.

    What is no longer kept is left out; the newest is always there.
    """
    if number >= job.n_events:
        return []
    wanted = (JobEvent.job_id == job.id, JobEvent.number > number, JobEvent.number < job.n_events)
    rows = session.scalars(select(JobEvent).where(*wanted).order_by(JobEvent.number)).all()
    newest = session.get(JobEvent, (job.id, job.n_events)) if job.finished_at is None else None
    earlier = [(row.number, _then(job, row)) for row in rows]
    return [*earlier, (job.n_events, _then(job, newest) if newest else job)]


def forget(session: Session) -> None:
    """Delete the events of jobs that ended long ago."""
    long_ago = now(session) - timedelta(days=KEPT_DAYS)
    session.execute(delete(JobEvent).where(JobEvent.job_id.in_(select(Job.id).where(Job.finished_at < long_ago))))


def _session(job: Job) -> Session:
    session = object_session(job)
    if session is None:
        raise ValueError("a job that no session has cannot have events")
    return session


def _then(job: Job, event: JobEvent) -> Job:
    """A job that has not ended, as it was at an event; it belongs to no session."""
    names = [column.key for column in Job.__table__.columns if column.key != "history"]
    unended = {"state": event.state, "result": None, "error": None, "finished_at": None}
    return Job(**dict(_values(job, names)) | event.told | unended)


def _values(job: Job, names: Sequence[str]) -> list[tuple[str, Any]]:
    return [(name, getattr(job, name)) for name in names]
