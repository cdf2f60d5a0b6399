"""Workers, zombies, cancellations and time in any order: the promises of the queue hold after every step."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from app.core import access, catalog, jobs
from app.core.access import Caller, Scope
from app.core.access.quota import Quota
from app.core.catalog import corpora
from app.core.catalog.uploads import CorpusContent
from app.core.claims import Claim
from app.core.database import Database
from app.core.errors import JobFinished, LeaseLost
from app.core.jobs import JobProgress, JobRequest
from app.core.records import Alias, AliasMove, Corpus, Job, JobState, Model, Version
from app.core.watching import events
from tests.conftest import Clock

LEASE_SECONDS = 30.0
MAX_ATTEMPTS = 3
MODELS = ("one", "two")


class QueueMachine(RuleBasedStateMachine):
    """Any number of workers; a claim is kept after it was lost, so that its worker is a zombie that still writes."""

    database: Database
    clock: Clock

    ids = Bundle("ids")
    claims = Bundle("claims")

    @initialize()
    def empty(self) -> None:
        with self.database.transaction() as session:
            for record in (AliasMove, Alias, Version, Model, Job, Corpus):
                session.query(record).delete()
            content = CorpusContent(secrets.token_hex(4), "digest", 1, 1, 1)
            self.corpus, _ = corpora.add(session, "corpus", content)
        self.accepted: set[str] = set()
        self.holder: dict[str, tuple[str, Any]] = {}
        self.ended: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.published: dict[str, int] = {}
        self.put_off: dict[str, Any] = {}
        self.confirmed = {("corpus", 1): "digest"}

    @rule(name=st.sampled_from(["corpus", "other"]))
    def upload(self, name: str) -> None:
        digest = secrets.token_hex(4)
        with self.database.transaction() as session:
            corpus, _ = corpora.add(session, name, CorpusContent(secrets.token_hex(4), digest, 1, 1, 1))
        assert (name, corpus.revision) not in self.confirmed
        self.confirmed[name, corpus.revision] = digest

    @rule(
        target=ids,
        model=st.sampled_from(MODELS),
        owner=st.sampled_from([None, "a", "b"]),
        priority=st.sampled_from([-1, 0, 1]),
    )
    def submit(self, model: str, owner: str | None, priority: int) -> str:
        request = JobRequest("train", model, {"dim": 100}, self.corpus.id, priority=priority)
        caller = Caller(Scope.ADMIN, quota=Quota(owner))
        with access.acting_as(caller), self.database.transaction() as session:
            job = jobs.submit(session, request)
        self.accepted.add(job.id)
        return job.id

    @rule(target=claims)
    def claim(self) -> Claim | None:
        waiting = self._in_turn()
        claim = jobs.claim(self.database, "worker", lease_seconds=LEASE_SECONDS, max_attempts=MAX_ATTEMPTS)
        self._collect_ends_by_claim()
        assert (claim.job_id if claim else None) == next((job for job in waiting if job not in self.ended), None)
        if claim:
            assert claim.job_id not in self.ended
            held = self.holder.get(claim.job_id)
            assert held is None or held[1] < self.clock.now, "a job was claimed while its lease was alive"
            assert self.put_off.pop(claim.job_id, self.clock.now) <= self.clock.now, "a job came before its time"
            self.holder[claim.job_id] = (claim.token, self._lease_end())
        return claim

    def _in_turn(self) -> list[str]:
        """The jobs that wait, in the order in which they should be claimed."""
        alive = {job_id for job_id, (_, expires) in self.holder.items() if expires >= self.clock.now}
        with self.database.reading() as session:
            found = session.scalars(select(Job).where(Job.state.in_([JobState.QUEUED, JobState.RUNNING]))).all()
        busy = {job.owner for job in found if job.id in alive} - {None}
        later = {job_id for job_id, moment in self.put_off.items() if moment > self.clock.now}
        waiting = [job for job in found if job.id not in alive | later]
        waiting.sort(key=lambda job: (job.owner in busy and job.priority <= 0, -job.priority, job.created_at, job.id))
        return [job.id for job in waiting]

    def _collect_ends_by_claim(self) -> None:
        """Claiming ends dead workers' jobs that were cancelled or have no attempts left; only those."""
        with self.database.reading() as session:
            for job in session.scalars(select(Job)):
                if job.state in jobs.ENDED and job.id not in self.ended:
                    token, expires = self.holder.pop(job.id)
                    assert token
                    assert expires < self.clock.now
                    assert job.id in self.cancelled if job.state == JobState.CANCELLED else job.error is not None
                    self.ended[job.id] = job.state

    @rule(seconds=st.sampled_from([1.0, 20.0, 31.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(claim=claims, fraction=st.floats(0, 1))
    def renew(self, claim: Claim | None, fraction: float) -> None:
        if claim is None:
            return
        progress = JobProgress("training", fraction)
        if self._holds(claim):
            asked = jobs.renew(self.database, claim, progress, lease_seconds=LEASE_SECONDS)
            assert asked == (claim.job_id in self.cancelled)
            self.holder[claim.job_id] = (claim.token, self._lease_end())
        else:
            with pytest.raises(LeaseLost):
                jobs.renew(self.database, claim, progress, lease_seconds=LEASE_SECONDS)

    @rule(claim=claims)
    def publish(self, claim: Claim | None) -> None:
        if claim is None:
            return
        if not self._holds(claim):
            with pytest.raises(LeaseLost):
                self._publish(claim)
            return
        self.published[claim.job_id] = self._publish(claim)
        self._end(claim, JobState.SUCCEEDED)

    def _publish(self, claim: Claim) -> int:
        with self.database.transaction() as session:
            version = catalog.publish(
                session, claim, f"versions/{claim.job_id}-{claim.token}", catalog.Made("digest", {})
            ).version
            jobs.succeed(session, claim, {"version": version.number})
        return version.number

    @rule(claim=claims, way=st.sampled_from(["fail", "release", "release uncounted", "put off", "acknowledge"]))
    def let_go(self, claim: Claim | None, way: str) -> None:
        if claim is None:
            return

        def act() -> None:
            if way == "fail":
                jobs.fail(self.database, claim, {"type": "/problems/vocabulary-empty"})
            elif way == "acknowledge":
                jobs.acknowledge_cancellation(self.database, claim)
            else:
                jobs.release(self.database, claim, counts=way == "release", put_off=way == "put off")

        if not self._holds(claim):
            with pytest.raises(LeaseLost):
                act()
            return
        act()
        if way == "fail":
            self._end(claim, JobState.FAILED)
        elif way == "acknowledge" or claim.job_id in self.cancelled:
            self._end(claim, JobState.CANCELLED)
        else:
            del self.holder[claim.job_id]
            if way == "put off":
                with self.database.reading() as session:
                    self.put_off[claim.job_id] = jobs.get(session, claim.job_id).not_before

    @rule(job_id=ids)
    def cancel(self, job_id: str) -> None:
        with self.database.transaction() as session:
            if self.ended.get(job_id) in (JobState.SUCCEEDED, JobState.FAILED):
                with pytest.raises(JobFinished):
                    jobs.cancel(session, job_id)
                return
            job = jobs.cancel(session, job_id)
        self.cancelled.add(job_id)
        if job_id not in self.holder:
            self.ended[job_id] = JobState.CANCELLED
        assert job.state == (JobState.RUNNING if job_id in self.holder else JobState.CANCELLED)

    def _holds(self, claim: Claim) -> bool:
        return self.holder.get(claim.job_id, ("", None))[0] == claim.token

    def _end(self, claim: Claim, state: JobState) -> None:
        del self.holder[claim.job_id]
        self.ended[claim.job_id] = state

    def _lease_end(self) -> Any:
        return self.clock.now + timedelta(seconds=LEASE_SECONDS)

    @invariant()
    def no_job_is_lost_and_each_is_what_we_think(self) -> None:
        if not hasattr(self, "accepted"):
            return
        with self.database.reading() as session:
            found = session.scalars(select(Job)).all()
            digests = {(each.name, each.revision): each.sha256 for each in session.scalars(select(Corpus))}
        states = {job.id: job.state for job in found}
        assert all(0 <= job.attempts <= MAX_ATTEMPTS for job in found)
        assert all(job.state == JobState.QUEUED for job in found if job.not_before is not None)
        assert digests == self.confirmed
        assert states.keys() == self.accepted
        for job_id, state in states.items():
            expected = self.ended.get(job_id) or (JobState.RUNNING if job_id in self.holder else JobState.QUEUED)
            assert state == expected

    @invariant()
    def every_success_is_published_once_without_gaps(self) -> None:
        if not hasattr(self, "accepted"):
            return
        with self.database.reading() as session:
            versions = session.scalars(select(Version).order_by(Version.model, Version.number)).all()
            latest = {alias.model: alias.version for alias in session.scalars(select(Alias))}
            moves = session.scalars(select(AliasMove).order_by(AliasMove.model, AliasMove.revision)).all()
        assert {version.job_id: version.number for version in versions} == self.published
        for model in MODELS:
            numbers = [version.number for version in versions if version.model == model]
            assert numbers == list(range(1, len(numbers) + 1))
            assert latest.get(model) == (numbers[-1] if numbers else None)
            moved = [(move.revision, move.version) for move in moves if move.model == model]
            assert moved == [(number, number) for number in numbers]

    def teardown(self) -> None:
        """The events of each job end with its state, and none is missing."""
        with self.database.reading() as session:
            for job in session.scalars(select(Job)):
                told = events.since(session, job, 0)
                assert [number for number, _ in told] == list(range(1, job.n_events + 1))
                assert told[-1][1].state == job.state


def run_machine(database_url: str, clock: Clock) -> None:
    database = Database(database_url, clock=clock)
    machine = type("Machine", (QueueMachine,), {"database": database, "clock": clock})
    examples = 60 if database.url.get_backend_name() == "sqlite" else 30
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    database.close()


def test_queue_keeps_its_promises(database_url: str, clock: Clock) -> None:
    """No job is lost, none is published twice, no zombie writes, version numbers have no gaps."""
    run_machine(database_url, clock)
