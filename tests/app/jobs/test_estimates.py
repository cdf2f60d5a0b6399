"""What a training is told to need, and whom that is too much for; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.core import jobs, trainers
from app.core.database import Database
from app.core.errors import MemoryShort, StorageFull
from app.core.jobs import JobRequest
from app.core.payloads import CorpusSource, TrainPayload
from app.core.records import Job
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.text import TextSpec
from app.core.trainers import Capacity
from app.jobs.estimates import with_estimate
from tests.conftest import Clock

GIBIBYTE = 1 << 30
N_TOKENS = 100_000_000
SETTINGS = Settings(trainer_threads=2, min_free_bytes=0)


def request(algorithm: str = "word2vec", n_tokens: int = N_TOKENS, **chosen: Any) -> JobRequest:
    chosen = {"dim": 100, "epochs": 5} | chosen
    corpus = CorpusSource(name="c", key="corpora/c", sha256="0", n_bytes=6 * n_tokens)
    payload = TrainPayload(corpus=corpus, algorithm=algorithm, hyperparameters=chosen, text=TextSpec())
    return JobRequest("train", "m", payload.model_dump(mode="json"), cost=n_tokens * chosen["dim"] * chosen["epochs"])


def estimate(database: Database, storage: Storage, asked: JobRequest) -> dict[str, Any]:
    with database.reading() as session:
        told = with_estimate(session, asked, SETTINGS, storage).estimate
    assert told is not None
    return told


def announce(database: Database, machine: str, **has: int | None) -> None:
    capacity = Capacity(**{"threads": 2, "memory_bytes": None, "disk_bytes": None, **has})  # type: ignore[arg-type] # as named
    with database.transaction() as session:
        trainers.announce(session, machine, capacity)


def test_an_estimate_is_as_the_formulas_say_until_trainings_were_measured(
    database: Database, storage: Storage, clock: Clock
) -> None:
    before = estimate(database, storage, request())
    assert before["measured_jobs"] == 0
    assert 4 * N_TOKENS < before["disk_bytes"] < 12 * N_TOKENS
    assert 160_000 * 100 * 4 < before["storage_bytes"] < 3 * 160_000 * 100 * 4
    assert estimate(database, storage, request(epochs=10))["seconds"] > 1.5 * before["seconds"]
    for seconds in (900, 200, 150):
        with database.transaction() as session:
            jobs.submit(session, request())
        taken = jobs.claim(database, "worker", lease_seconds=1e4, max_attempts=3)
        assert taken is not None
        clock.advance(seconds)
        with database.transaction() as session:
            jobs.succeed(session, taken, {"version": 1})
    after = estimate(database, storage, request())
    assert (after["seconds"], after["measured_jobs"]) == (200.0, 3), "as long as the same took, but for the first"
    assert estimate(database, storage, request(n_tokens=10 * N_TOKENS))["seconds"] == pytest.approx(2000, rel=0.15)
    assert estimate(database, storage, request("glove"))["measured_jobs"] == 0, "another algorithm has another speed"


def test_what_fits_no_trainer_is_refused_by_both_amounts(database: Database, storage: Storage, clock: Clock) -> None:
    large = request(dim=1000, n_tokens=2_000_000_000)
    assert estimate(database, storage, large)["memory_bytes"] > 8 * GIBIBYTE, "nobody is known who could not"
    announce(database, "small", memory_bytes=2 * GIBIBYTE, disk_bytes=20 * GIBIBYTE)
    with pytest.raises(MemoryShort) as short:
        estimate(database, storage, large)
    assert short.value.members["available_bytes"] == 2 * GIBIBYTE < short.value.members["needed_bytes"]
    assert estimate(database, storage, request(dim=1000, n_tokens=2_000_000_000, max_words=50_000))
    announce(database, "large", memory_bytes=64 * GIBIBYTE, disk_bytes=GIBIBYTE)
    assert estimate(database, storage, large)
    announce(database, "small", memory_bytes=2 * GIBIBYTE, disk_bytes=GIBIBYTE)
    with pytest.raises(StorageFull) as full:
        estimate(database, storage, large)
    assert full.value.members == {"needed_bytes": 8_000_000_000, "free_bytes": GIBIBYTE}
    announce(database, "unknown")
    assert estimate(database, storage, large)
    clock.advance(timedelta(days=2).total_seconds())
    announce(database, "small", memory_bytes=GIBIBYTE)
    with pytest.raises(MemoryShort):
        estimate(database, storage, large)
    clock.advance(timedelta(days=8).total_seconds())
    announce(database, "new")
    with database.reading() as session:
        assert session.query(trainers.Trainer.machine).all() == [("new",)]


def test_a_job_keeps_its_estimate(database: Database, storage: Storage) -> None:
    with database.transaction() as session:
        job = jobs.submit(session, with_estimate(session, request(), SETTINGS, storage))
        other = jobs.submit(session, JobRequest("import", "m", {}))
    with database.reading() as session:
        kept = session.get_one(Job, job.id).estimate
        assert kept is not None
        assert kept["memory_bytes"] > 3 * 160_000 * 100 * 4
        assert session.get_one(Job, other.id).estimate is None
