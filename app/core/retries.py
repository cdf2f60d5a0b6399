"""When a job is tried again that storage, database or disk have failed: later each time, by chance, up to a limit.

All that an outage has interrupted would otherwise come back in the same moment ("full jitter": any moment up to a limit
that doubles).
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_

from app.core.records import Job

FIRST_SECONDS = 1.0
"""The first retry comes within this time, each further one within twice the time of the one before ..."""
LONGEST_SECONDS = 300.0
"""... but never later than this."""


def wait_seconds(n_before: int) -> float:
    """How long to wait for the next try after so many; another time whenever it is asked."""
    return random.uniform(0.0, min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(n_before, 30)))  # noqa: S311 (no secret)


def put_off(job: Job, moment: datetime) -> None:
    """Let nobody claim the job for a while."""
    job.not_before = moment + timedelta(seconds=wait_seconds(job.retries))
    job.retries += 1


def is_due(moment: datetime) -> ColumnElement[bool]:
    """Of a queued job: it was not put off, or long enough."""
    return or_(Job.not_before.is_(None), Job.not_before <= moment)
