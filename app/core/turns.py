"""Whose turn it is: which of the jobs that wait a worker gets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select
from sqlalchemy.orm import Session

from app.core import retries
from app.core.database import serialise
from app.core.records import Job, JobState

USUAL = 0
"""The priority beyond which a job does not wait for the jobs of others."""


def next_in_turn(
    session: Session, moment: datetime, is_dead: ColumnElement[bool], *, max_attempts: int, share: int
) -> Job | None:
    """The job to claim or to end next, locked; None if none waits.

    What has to end comes first; then what is of a higher priority, then what is older. A job of an owner who has
    `share` jobs running comes after those of all others, unless its priority is above the usual one.

    Parameters
    ----------
    session : of a transaction; until it ends nobody else takes a turn, or two would take one owner's last place
    moment : now; a job that was put off until later does not wait yet
    is_dead : of a running job, that nobody holds it any more
    max_attempts : a job of so many ends
    share : jobs of an owner that may run before those of others go first
    """
    is_queued = and_(Job.state == JobState.QUEUED, retries.is_due(moment))
    waits = or_(is_queued, and_(Job.state == JobState.RUNNING, is_dead))
    if session.scalar(select(Job.id).where(waits).limit(1)) is None:
        return None
    serialise(session, "turns")
    ends = or_(Job.attempts >= max_attempts, and_(Job.state == JobState.RUNNING, Job.cancel_requested_at.is_not(None)))
    stands_back = and_(Job.owner.in_(_busy(session, is_dead, share)), Job.priority <= USUAL)
    return session.scalar(
        select(Job)
        .where(waits)
        .order_by(case((ends, 0), (stands_back, 2), else_=1), Job.priority.desc(), Job.created_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _busy(session: Session, is_dead: ColumnElement[bool], share: int) -> list[str | None]:
    """Owners of so many running jobs."""
    held = select(Job.owner).where(Job.state == JobState.RUNNING, not_(is_dead), Job.owner.is_not(None))
    return list(session.scalars(held.group_by(Job.owner).having(func.count() >= share)))
