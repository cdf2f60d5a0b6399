"""The job queue, whole: submit, claim, renew, release, finish, cancel.

::

    queued --claim--> running --succeed--> succeeded
      ^  |               |  |----fail----> failed
      |  '---cancel---.  |  '---cancel---> cancelled
      '--release, lost-+--'

A claim hands out a lease token that no one else ever gets; every later write of the worker names it and touches
nothing once another worker has the job. A lease that ran out means the worker is dead; that the work moves on is
another matter, which the worker watches itself. What the work is, only the kind of job knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from app.core import access, quotas, retries
from app.core.claims import Claim
from app.core.database import Database, now, serialise
from app.core.errors import IdempotencyConflict, JobFinished, JobNotFound, LeaseLost, WorkerLost
from app.core.leases import LeaseWatch
from app.core.records import Job, JobState
from app.core.turns import next_in_turn
from app.core.watching import events

ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class JobRequest:
    """What somebody wants done; already validated. `model` gets the result if that is a version."""

    kind: str
    model: str | None
    payload: dict[str, Any]
    corpus_id: str | None = None
    file_ids: list[str] | None = None
    versions: list[str] | None = None
    """The corpus, the files and the versions, as ``model@3``, that must stay until the job has ended."""
    cost: int | None = None
    estimate: dict[str, Any] | None = None
    priority: int = 0


@dataclass(frozen=True)
class JobProgress:
    """Where a running job is; `progress` of the whole job, from 0 to 1. What is measured depends on the kind."""

    phase: str
    progress: float
    eta_seconds: float | None = None
    measures: dict[str, float] = field(default_factory=dict)
    step: str | None = None
    history: list[dict[str, Any]] | None = None  # all epochs that have ended; None: as it was written before


def earlier(session: Session, idempotency: tuple[str, str] | None) -> Job | None:
    """The job that the same idempotency key made; until the transaction ends nobody else makes one.

    Raises
    ------
    IdempotencyConflict
        The key was used with another request.
    """
    if idempotency is None:
        return None
    key, digest = idempotency
    serialise(session, f"idempotency:{key}")
    job = session.scalar(select(Job).where(Job.idempotency_key == key))
    if job is not None and job.request_sha256 != digest:
        raise IdempotencyConflict(idempotency_key=key, job=job.id)
    return job


def submit(session: Session, request: JobRequest, idempotency: tuple[str, str] | None = None) -> Job:
    """Queue a job, or return the one that the same idempotency key, given with a digest of the request, made.

    Raises
    ------
    IdempotencyConflict
        The key was used with another request.
    NotPermitted
        The caller may not use the name of the model.
    JobTooCostly, QueueFull
        It is more than the caller may.
    """
    access.check_name(request.model)
    if (made := earlier(session, idempotency)) is not None:
        return made
    quotas.check_job(session, request.cost)
    key, digest = idempotency or (None, None)
    moment = now(session)
    job = Job(
        id=new_id(moment),
        state=JobState.QUEUED,
        idempotency_key=key,
        request_sha256=digest,
        progress=0.0,
        measures={},
        owner=access.current().owner,
        attempts=0,
        created_at=moment,
        **vars(request),
    )
    session.add(job)
    session.flush()
    events.change(job)
    return job


def add_done(session: Session, request: JobRequest, result: dict[str, Any]) -> Job:
    """A job that was done before this database knew of it."""
    job = submit(session, request)
    job.result = result
    job.progress = 1.0
    _end(job, JobState.SUCCEEDED, now(session))
    session.flush()
    return job


def get(session: Session, job_id: str) -> Job:
    """Read a job or raise `JobNotFound`."""
    job = session.get(Job, job_id)
    if job is None or not access.sees(job.model):
        raise JobNotFound(f"There is no job {job_id!r}.", job=job_id)
    return job


def page(session: Session, *, limit: int, before: str | None = None, **wanted: str | None) -> Sequence[Job]:
    """Newest first, those whose columns have the wanted values; ids grow with time: the last one continues a page."""
    query = select(Job).where(access.current().among(Job.model)).order_by(Job.id.desc()).limit(limit)
    if before:
        query = query.where(Job.id < before)
    query = query.filter_by(**{name: value for name, value in wanted.items() if value is not None})
    return session.scalars(query).all()


def claim(
    database: Database,
    worker: str,
    *,
    lease_seconds: float,
    max_attempts: int,
    share: int = 1,
    watch: LeaseWatch | None = None,
) -> Claim | None:
    """Take the job whose turn it is, queued or of a dead worker, as far as the database's clock and `watch` know.

    A dead worker's job ends here when its cancellation was asked for, or when it has killed `max_attempts` workers. Who
    has `share` jobs running lets others go first.
    """
    watch = watch or LeaseWatch(lease_seconds)
    with database.transaction() as session:
        moment = now(session)
        watch.look(session)
        dead = watch.is_dead(moment)
        while (job := next_in_turn(session, moment, dead, max_attempts=max_attempts, share=share)) is not None:
            if job.state == JobState.RUNNING and job.cancel_requested_at is not None:
                _end(job, JobState.CANCELLED, moment)
            elif job.attempts >= max_attempts:
                error = WorkerLost(f"{job.attempts} workers died while they ran this job.", attempts=job.attempts)
                _end(job, JobState.FAILED, moment, error=error.problem())
            else:
                return _lease(job, worker, moment, lease_seconds)
            session.flush()
    return None


def _lease(job: Job, worker: str, moment: datetime, lease_seconds: float) -> Claim:
    token = secrets.token_hex(16)
    job.state = JobState.RUNNING
    job.attempts += 1
    job.worker = worker
    job.not_before = None
    job.lease_token = token
    job.lease_expires_at = moment + timedelta(seconds=lease_seconds)
    job.started_at = job.started_at or moment
    events.change(job)
    return Claim(job.id, token, job.attempts, job.kind, job.model, job.payload, job.retries)


def renew(database: Database, claim: Claim, progress: JobProgress | None, *, lease_seconds: float) -> bool:
    """Keep the job, write where it is, and say whether somebody asked for its cancellation.

    Raises
    ------
    LeaseLost
        The job is another worker's now, or has ended; nothing was written.
    """
    with database.transaction() as session:
        job = owned(session, claim)
        job.lease_expires_at = now(session) + timedelta(seconds=lease_seconds)
        before = events.place(job)
        for name, value in vars(progress).items() if progress else ():
            if name != "history" or value is not None:
                setattr(job, name, value)
        if events.place(job) != before:
            events.add(job)
        return job.cancel_requested_at is not None


def succeed(session: Session, claim: Claim, result: dict[str, Any], last: JobProgress | None = None) -> None:
    """End the job with its result and what was last measured, in the transaction that makes the result visible."""
    job = owned(session, claim)
    job.result = result
    if last:
        job.phase, job.step, job.measures = last.phase, last.step, last.measures
        job.history = last.history or job.history
    job.progress = 1.0
    _end(job, JobState.SUCCEEDED, now(session))


def fail(database: Database, claim: Claim, error: dict[str, Any]) -> None:
    """End the job with a problem that the user can act on."""
    with database.transaction() as session:
        _end(owned(session, claim), JobState.FAILED, now(session), error=error)


def acknowledge_cancellation(database: Database, claim: Claim) -> None:
    """End the job as cancelled, once nothing of it runs any more."""
    with database.transaction() as session:
        _end(owned(session, claim), JobState.CANCELLED, now(session))


def release(database: Database, claim: Claim, *, counts: bool, put_off: bool = False) -> None:
    """Give the job back to the queue, or `put_off` its next attempt; `counts` if this one is one of those it has."""
    with database.transaction() as session:
        job = owned(session, claim)
        job.state = JobState.QUEUED
        job.attempts -= 0 if counts else 1
        _forget_lease(job)
        if put_off:
            retries.put_off(job, now(session))
        if job.cancel_requested_at is not None:
            _end(job, JobState.CANCELLED, now(session))
        else:
            events.change(job)


def cancel(session: Session, job_id: str) -> Job:
    """End a queued job at once; ask the worker of a running one to stop. Asking twice is asking once.

    Raises
    ------
    JobNotFound, JobFinished
    """
    job = session.scalar(select(Job).where(Job.id == job_id).with_for_update())
    if job is None or not access.sees(job.model):
        raise JobNotFound(f"There is no job {job_id!r}.", job=job_id)
    moment = now(session)
    if job.state == JobState.QUEUED:
        job.cancel_requested_at = moment
        _end(job, JobState.CANCELLED, moment)
    elif job.state == JobState.RUNNING and job.cancel_requested_at is None:
        job.cancel_requested_at = moment
        events.add(job)
    elif job.state not in {JobState.RUNNING, JobState.CANCELLED}:
        raise JobFinished(f"The job has {job.state}; it cannot be cancelled any more.", job=job.id, state=job.state)
    session.flush()
    return job


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(Job.id == claim.job_id, Job.lease_token == claim.token, Job.state == JobState.RUNNING)


def owned(session: Session, claim: Claim) -> Job:
    """The job, locked until the transaction ends, or `LeaseLost`."""
    job = session.scalar(select(Job).where(_held(claim)).with_for_update())
    if job is None:
        raise LeaseLost(job=claim.job_id)
    return job


def _end(job: Job, state: JobState, moment: datetime, *, error: dict[str, Any] | None = None) -> None:
    job.state = state
    job.error = error
    job.finished_at = moment
    job.eta_seconds = None
    job.not_before = None
    _forget_lease(job)
    events.change(job)


def _forget_lease(job: Job) -> None:
    job.lease_token = job.lease_expires_at = None


def new_id(moment: datetime) -> str:
    """Sortable by time: microseconds, then randomness."""
    return f"{int(moment.timestamp() * 1_000_000):014x}{secrets.token_hex(5)}"
