"""What storage or disk have failed is tried again later: by chance, later each time, never too late."""

from __future__ import annotations

from app.core import jobs, retries
from app.core.claims import Claim
from app.core.database import Database
from app.core.jobs import JobRequest
from app.core.records import Job
from tests.conftest import Clock


def claim(database: Database) -> Claim | None:
    return jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)


def two_jobs(database: Database, clock: Clock) -> list[str]:
    ids = []
    for _ in range(2):
        clock.advance(1)
        with database.transaction() as session:
            ids.append(jobs.submit(session, JobRequest("train", "m", {})).id)
    return ids


def read(database: Database, job_id: str) -> Job:
    with database.reading() as session:
        return jobs.get(session, job_id)


def test_waits_double_by_chance_up_to_a_limit() -> None:
    for n_before, longest in ((0, 1.0), (1, 2.0), (5, 32.0), (8, 256.0), (9, 300.0), (10_000, 300.0)):
        waits = [retries.wait_seconds(n_before) for _ in range(200)]
        assert 0.0 <= min(waits) < 0.2 * longest
        assert 0.8 * longest < max(waits) <= longest


def test_a_job_that_is_put_off_costs_no_attempt_and_waits(database: Database, clock: Clock) -> None:
    put_off, other = two_jobs(database, clock)
    for n in range(6):
        taken = claim(database)
        assert taken is not None
        assert (taken.job_id, taken.attempt, taken.retries) == (put_off, 1, n)
        jobs.release(database, taken, counts=False, put_off=True)
        job = read(database, put_off)
        assert job.not_before is not None
        assert clock.now <= job.not_before
        clock.now = job.not_before
    jobs_taken = [taken.job_id for _ in range(2) if (taken := claim(database))]
    assert jobs_taken == [put_off, other]
    assert read(database, put_off).not_before is None


def test_others_go_first_while_a_job_is_put_off(database: Database, clock: Clock) -> None:
    put_off, other = two_jobs(database, clock)
    taken = claim(database)
    assert taken is not None
    jobs.release(database, taken, counts=True, put_off=True)
    job = read(database, put_off)
    assert (job.attempts, job.retries) == (1, 1)
    next_taken = claim(database)
    assert next_taken is not None
    assert next_taken.job_id == other
    assert claim(database) is None
    with database.transaction() as session:
        jobs.cancel(session, put_off)
    assert (read(database, put_off).state, read(database, put_off).not_before) == ("cancelled", None)
