"""A worker's own clock decides where the database's was set."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import jobs
from app.core.claims import Claim
from app.core.database import Database
from app.core.jobs import JobRequest
from app.core.leases import LeaseWatch
from tests.conftest import Clock

HOUR = 3600.0


class Watcher:
    """A worker that looks for jobs, and whose clock only the tests move."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.seconds = 0.0
        self.watch = LeaseWatch(30.0, clock=lambda: self.seconds)

    def claim(self, *, after: float = 0.0) -> Claim | None:
        self.seconds += after
        return jobs.claim(self.database, "watcher", lease_seconds=30.0, max_attempts=3, watch=self.watch)


@pytest.fixture
def held(database: Database) -> Claim:
    with database.transaction() as session:
        jobs.submit(session, JobRequest("train", "m", {}))
    taken = jobs.claim(database, "holder", lease_seconds=30.0, max_attempts=3)
    assert taken is not None
    return taken


def renew(database: Database, held: Claim) -> None:
    jobs.renew(database, held, None, lease_seconds=30.0)


def test_a_job_of_the_dead_is_taken_although_the_clock_was_set_back(
    database: Database, held: Claim, clock: Clock
) -> None:
    watcher = Watcher(database)
    clock.advance(-HOUR)
    assert watcher.claim() is None
    assert watcher.claim(after=29.0) is None
    taken = watcher.claim(after=1.0)
    assert taken is not None
    assert (taken.job_id, taken.attempt) == (held.job_id, 2)


def test_a_job_of_the_living_is_left_although_the_clock_was_set_forward(
    database: Database, held: Claim, clock: Clock
) -> None:
    watcher = Watcher(database)
    assert watcher.claim() is None
    clock.advance(1.0)
    renew(database, held)
    assert watcher.claim(after=1.0) is None
    clock.advance(HOUR)
    assert watcher.claim(after=29.0) is None
    assert watcher.claim(after=1.0) is not None, "it was not renewed for the whole lease"


def test_who_renews_after_the_clock_was_set_back_keeps_the_job(database: Database, held: Claim, clock: Clock) -> None:
    watcher = Watcher(database)
    clock.advance(-HOUR)
    for _ in range(10):
        assert watcher.claim(after=20.0) is None
        clock.advance(20.0)
        renew(database, held)


def test_without_steps_the_expiry_counts(database: Database, held: Claim, clock: Clock) -> None:
    clock.advance(timedelta(seconds=31).total_seconds())
    taken = Watcher(database).claim()
    assert taken is not None
    assert taken.job_id == held.job_id


def test_nobody_dies_of_an_outage_of_the_database(database: Database, held: Claim, clock: Clock) -> None:
    """While it was away nobody could renew; who has not done so for the length of a lease afterwards is dead."""
    watcher = Watcher(database)
    clock.advance(31)
    watcher.watch.look_away()
    assert watcher.claim() is None
    assert watcher.claim(after=29.0) is None
    taken = watcher.claim(after=2.0)
    assert taken is not None
    assert taken.job_id == held.job_id
