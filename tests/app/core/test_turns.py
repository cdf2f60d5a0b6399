"""Whose turn it is: priorities, and a fair share for every owner; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from app.core import access, jobs
from app.core.access import Caller, Scope
from app.core.access.quota import Quota
from app.core.claims import Claim
from app.core.database import Database
from app.core.jobs import JobRequest
from app.core.records import Job
from tests.conftest import Clock


def submit(database: Database, owner: str | None = None, priority: int = 0, clock: Clock | None = None) -> str:
    if clock:
        clock.advance(1)
    with access.acting_as(Caller(Scope.ADMIN, quota=Quota(owner))), database.transaction() as session:
        return jobs.submit(session, JobRequest("train", "m", {}, priority=priority)).id


def claim(database: Database, share: int = 1) -> Claim:
    taken = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3, share=share)
    assert taken is not None
    return taken


def order(database: Database, n_jobs: int, share: int = 1) -> list[str]:
    return [claim(database, share).job_id for _ in range(n_jobs)]


def test_a_higher_priority_goes_first_and_then_the_older_one(database: Database, clock: Clock) -> None:
    made: dict[int, list[str]] = {}
    for priority in (0, -10, 1, 10, 0, 1):
        made.setdefault(priority, []).append(submit(database, priority=priority, clock=clock))
    assert order(database, 6) == [*made[10], *made[1], *made[0], *made[-10]]


def test_who_has_a_job_running_lets_others_go_first(database: Database, clock: Clock) -> None:
    first, second, third = (submit(database, "many", clock=clock) for _ in range(3))
    few = submit(database, "few", priority=-1, clock=clock)
    nobodys = submit(database, clock=clock)
    assert order(database, 5) == [first, nobodys, few, second, third], "and nothing stands still if no other waits"


def test_a_share_may_be_larger_and_what_is_urgent_does_not_wait(database: Database, clock: Clock) -> None:
    many = [submit(database, "many", clock=clock) for _ in range(4)]
    few = submit(database, "few", clock=clock)
    assert order(database, 2, share=2) == many[:2]
    urgent = submit(database, "many", priority=1)
    assert order(database, 3, share=2) == [urgent, few, many[2]]


def test_a_job_whose_worker_died_takes_no_share(database: Database, clock: Clock) -> None:
    dead = submit(database, "a")
    assert claim(database).job_id == dead
    clock.advance(31)
    other = submit(database, "b")
    assert order(database, 2) == [dead, other]


def test_what_has_to_end_ends_before_anything_begins(database: Database, clock: Clock) -> None:
    cancelled = submit(database, priority=-10)
    assert claim(database).job_id == cancelled
    with database.transaction() as session:
        jobs.cancel(session, cancelled)
    clock.advance(31)
    waiting = submit(database, priority=10)
    assert claim(database).job_id == waiting
    with database.reading() as session:
        assert session.get_one(Job, cancelled).state == "cancelled"


def test_workers_that_claim_at_the_same_moment_share(database_url: str) -> None:
    database, together = Database(database_url), Barrier(3)

    def claimed(_: int) -> str:
        together.wait()
        return claim(database).job_id

    with ThreadPoolExecutor(3) as pool:
        for _ in range(5):
            ids = {submit(database, owner): owner for owner in ("many", "many", "many", "few", "another")}
            owners = [ids[job_id] for job_id in pool.map(claimed, range(3))]
            assert sorted(owners) == ["another", "few", "many"]
            with database.transaction() as session:
                session.query(Job).delete()
    database.close()
