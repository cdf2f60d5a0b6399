"""Events of jobs: numbered without gaps, few, and never missed by who reads on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.core import jobs
from app.core.catalog import removal
from app.core.claims import Claim
from app.core.database import Database
from app.core.jobs import JobProgress, JobRequest
from app.core.records import Job
from app.core.watching import events
from app.core.watching.events import JobEvent
from tests.conftest import Clock


def submit(database: Database) -> str:
    with database.transaction() as session:
        return jobs.submit(session, JobRequest("train", "m", {})).id


def claim(database: Database) -> Claim:
    taken = jobs.claim(database, "worker", lease_seconds=30, max_attempts=1000)
    assert taken is not None
    return taken


def since(database: Database, job_id: str, number: int = 0) -> list[tuple[int, Job]]:
    with database.reading() as session:
        return list(events.since(session, jobs.get(session, job_id), number))


def n_rows(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(JobEvent)) or 0


def test_each_event_has_the_job_as_it_was(database: Database, clock: Clock) -> None:
    job_id = submit(database)
    clock.advance(1)
    taken = claim(database)
    jobs.renew(database, taken, JobProgress("reading", 0.25, 3.0, {"n_tokens": 5.0}), lease_seconds=30)
    with database.transaction() as session:
        jobs.cancel(session, job_id)
        jobs.cancel(session, job_id)  # which changes nothing
    jobs.acknowledge_cancellation(database, taken)
    found = since(database, job_id)
    assert [number for number, _ in found] == [1, 2, 3, 4, 5]
    assert [job.state for _, job in found] == ["queued", "running", "running", "running", "cancelled"]
    assert [job.phase for _, job in found] == [None, None, "reading", "reading", "reading"]
    assert [job.measures for _, job in found] == [{}, {}, *[{"n_tokens": 5.0}] * 3]
    assert [job.started_at is None for _, job in found] == [True, False, False, False, False]
    assert [job.cancel_requested_at is None for _, job in found] == [True, True, True, False, False]
    assert [job.finished_at is None for _, job in found] == [True, True, True, True, False]
    assert [number for number, _ in since(database, job_id, 3)] == [4, 5]


def test_a_long_job_makes_few_events(database: Database) -> None:
    job_id, taken = submit(database), claim(database)
    for i in range(120):
        jobs.renew(database, taken, JobProgress("training", i / 120), lease_seconds=30)
    numbers = [number for number, _ in since(database, job_id)]
    assert numbers == list(range(1, 2 + events.PARTS + 1))


def test_of_a_job_that_is_given_back_for_ever_the_newest_stay(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEPT", 5)
    job_id = submit(database)
    for _ in range(10):
        jobs.release(database, claim(database), counts=False)
    assert [number for number, _ in since(database, job_id)] == [17, 18, 19, 20, 21]
    assert n_rows(database) == 5


def test_events_go_some_days_after_their_job_has_ended_or_with_it(database: Database, clock: Clock) -> None:
    ended, running = submit(database), submit(database)
    with database.transaction() as session:
        jobs.cancel(session, ended)
    clock.advance(timedelta(days=events.KEPT_DAYS).total_seconds() + 1)
    with database.transaction() as session:
        events.forget(session)
    assert n_rows(database) == 1
    assert [(number, job.state) for number, job in since(database, ended)] == [(2, "cancelled")]
    with database.transaction() as session:
        jobs.cancel(session, running)
        removal.delete_job(session, running)
    assert n_rows(database) == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_committed_later_is_read_later(database: Database) -> None:
    """A transaction that began first and commits last: no reader is beyond its event then."""
    first, second = submit(database), submit(database)
    with database.transaction() as slow:
        jobs.cancel(slow, first)
        with database.transaction() as quick:
            jobs.cancel(quick, second)
        assert [number for number, _ in since(database, second, 1)] == [2]
        assert since(database, first, 1) == []
    assert [number for number, _ in since(database, first, 1)] == [2]


def test_a_reader_beside_many_writers_misses_nothing(database: Database) -> None:
    job_id = submit(database)

    def write(_: int) -> None:
        with database.transaction() as session:
            events.add(session.scalars(select(Job).where(Job.id == job_id).with_for_update()).one())

    read = [0]
    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(write, i) for i in range(30)]
        while read[-1] < 31:
            for each in writing:
                assert not each.done() or each.exception() is None
            read += [number for number, _ in since(database, job_id, read[-1])]
    assert read == list(range(32))
