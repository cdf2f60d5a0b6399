"""Single promises of the queue that the state machine does not reach."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app.core import catalog, jobs
from app.core.catalog import corpora
from app.core.catalog.uploads import CorpusContent
from app.core.claims import Claim
from app.core.database import Database
from app.core.errors import CorpusInUse, IdempotencyConflict, JobNotFound
from app.core.jobs import JobProgress, JobRequest
from app.core.records import Corpus, Job, Version
from tests.conftest import Clock

PAYLOAD = {"dim": 100, "text": {"case": "lower"}}


@pytest.fixture
def corpus(database: Database) -> Corpus:
    with database.transaction() as session:
        return corpora.add(session, "corpus", CorpusContent("corpora/1", "digest", 10, 1, 2))[0]


def submit(database: Database, corpus: Corpus, idempotency: tuple[str, str] | None = None) -> str:
    with database.transaction() as session:
        return jobs.submit(session, JobRequest("train", "bible", PAYLOAD, corpus.id), idempotency).id


def claim(database: Database) -> Claim | None:
    return jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)


def read(database: Database, job_id: str) -> Job:
    with database.reading() as session:
        return jobs.get(session, job_id)


def test_a_claim_carries_what_the_worker_needs(database: Database, corpus: Corpus) -> None:
    job_id = submit(database, corpus)
    taken = claim(database)
    assert taken is not None
    assert (taken.job_id, taken.kind, taken.model, taken.attempt) == (job_id, "train", "bible", 1)
    assert taken.payload == PAYLOAD


def test_oldest_job_is_claimed_first(database: Database, corpus: Corpus, clock: Clock) -> None:
    ids = []
    for _ in range(3):
        clock.advance(1)
        ids.append(submit(database, corpus))
    assert [taken.job_id for _ in range(3) if (taken := claim(database))] == ids
    assert claim(database) is None


def test_racing_workers_claim_each_job_once(database: Database, corpus: Corpus) -> None:
    ids = {submit(database, corpus) for _ in range(20)}
    with ThreadPoolExecutor(8) as pool:
        taken = [found.job_id for found in pool.map(lambda _: claim(database), range(30)) if found]
    assert sorted(taken) == sorted(ids)


def test_racing_publications_number_versions_without_gaps(database: Database, corpus: Corpus) -> None:
    for _ in range(8):
        submit(database, corpus)
    claims = [taken for _ in range(8) if (taken := claim(database))]

    def publish(taken: Claim) -> int:
        with database.transaction() as session:
            version = catalog.publish(session, taken, f"versions/{taken.token}", catalog.Made("digest", {})).version
            jobs.succeed(session, taken, {"version": version.number})
            return version.number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(publish, claims)) == list(range(1, 9))
    with database.reading() as session:
        assert len(session.scalars(select(Version)).all()) == 8
        assert catalog.get_alias(session, "bible", "latest").version == 8


def test_progress_is_written_with_the_renewal(database: Database, corpus: Corpus) -> None:
    job_id = submit(database, corpus)
    taken = claim(database)
    assert taken is not None
    measures = {"tokens_per_second": 3e6, "loss": 2.5, "epoch": 3}
    progress = JobProgress("training", 0.5, 4.0, measures)
    assert jobs.renew(database, taken, progress, lease_seconds=30) is False
    job = read(database, job_id)
    assert (job.phase, job.progress, job.eta_seconds, job.measures) == ("training", 0.5, 4.0, measures)


def test_a_history_stays_until_there_is_a_longer_one(database: Database, corpus: Corpus) -> None:
    job_id = submit(database, corpus)
    taken = claim(database)
    assert taken is not None
    epochs = [{"epoch": 1, "loss": 2.5}, {"epoch": 2, "loss": 2.25}]
    for written, expected in ((None, None), (epochs[:1], epochs[:1]), (None, epochs[:1]), (epochs, epochs)):
        jobs.renew(database, taken, JobProgress("training", 0.5, history=written), lease_seconds=30)
        with database.reading() as session:
            assert jobs.get(session, job_id).history == expected
    with database.transaction() as session:
        jobs.succeed(session, taken, {"version": 1}, JobProgress("publishing", 1.0))
    with database.reading() as session:
        assert jobs.get(session, job_id).history == epochs


def test_a_job_that_kills_its_workers_fails_in_the_end(database: Database, corpus: Corpus, clock: Clock) -> None:
    job_id = submit(database, corpus)
    for attempt in (1, 2, 3):
        taken = claim(database)
        assert taken is not None
        assert taken.attempt == attempt
        clock.advance(31)
    assert claim(database) is None
    job = read(database, job_id)
    assert job.state == "failed"
    assert job.error is not None
    assert (job.error["type"], job.error["attempts"]) == ("/problems/worker-lost", 3)


def test_a_stopped_worker_costs_no_attempt(database: Database, corpus: Corpus) -> None:
    job_id = submit(database, corpus)
    for _ in range(5):
        taken = claim(database)
        assert taken is not None
        assert taken.attempt == 1
        jobs.release(database, taken, counts=False)
    assert read(database, job_id).state == "queued"


def test_one_idempotency_key_makes_one_job(database: Database, corpus: Corpus) -> None:
    with ThreadPoolExecutor(6) as pool:
        ids = set(pool.map(lambda _: submit(database, corpus, ("key", "digest")), range(6)))
    assert len(ids) == 1
    with pytest.raises(IdempotencyConflict) as caught:
        submit(database, corpus, ("key", "another digest"))
    assert caught.value.members["job"] in ids


def test_a_corpus_that_a_job_needs_stays(database: Database, corpus: Corpus) -> None:
    job_id = submit(database, corpus)
    with pytest.raises(CorpusInUse) as caught, database.transaction() as session:
        corpora.delete(session, "corpus")
    assert caught.value.members["job"] == job_id
    taken = claim(database)
    assert taken is not None
    jobs.fail(database, taken, {"type": "x"})
    with database.transaction() as session:
        assert corpora.delete(session, "corpus") == ["corpora/1"]
    assert read(database, job_id).payload == PAYLOAD


def test_pages_go_from_the_newest_to_the_oldest(database: Database, corpus: Corpus, clock: Clock) -> None:
    ids = []
    for _ in range(5):
        clock.advance(1)
        ids.append(submit(database, corpus))
    with database.reading() as session:
        first = jobs.page(session, limit=2)
        second = jobs.page(session, limit=9, before=first[-1].id)
        same = jobs.page(session, limit=9, model=first[0].model, state="queued")
        none = [jobs.page(session, limit=9, **wanted) for wanted in ({"model": "nobody"}, {"state": "failed"})]
    assert [job.id for job in [*first, *second]] == ids[::-1]
    assert ([job.id for job in same], none) == (ids[::-1], [[], []])


def test_unknown_job_is_named(database: Database) -> None:
    with pytest.raises(JobNotFound) as caught:
        read(database, "nothing")
    assert caught.value.members == {"job": "nothing"}


def test_an_ended_job_keeps_what_was_measured_last(database: Database, corpus: Corpus) -> None:
    """A short job ends before any renewal has written it."""
    job_id = submit(database, corpus)
    taken = claim(database)
    assert taken is not None
    with database.transaction() as session:
        last = JobProgress("publishing", 0.97, 1.0, {"held_out_loss": 2.5466, "epoch": 12})
        jobs.succeed(session, taken, {"version": 1}, last)
    job = read(database, job_id)
    assert (job.phase, job.progress, job.measures) == ("publishing", 1.0, {"held_out_loss": 2.5466, "epoch": 12})
