"""What a training is told to need, and whom that is too much for; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core import jobs, trainers
from app.core.costs.tables import OTHERS, Asked, Size
from app.core.database import Database
from app.core.errors import MemoryShort, StorageFull
from app.core.jobs import JobRequest
from app.core.payloads import CorpusSource, DerivePayload, FileSource, ImportPayload, TrainPayload
from app.core.records import Job
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.text import TextSpec
from app.core.trainers import Capacity
from app.core.vector_files import TextShape, expected_shape
from app.jobs.estimates import with_estimate
from tests.conftest import Clock

GIBIBYTE = 1 << 30
N_TOKENS = 100_000_000
PLAIN = TextSpec()
SETTINGS = Settings(trainer_threads=2, min_free_bytes=0)


def request(algorithm: str = "word2vec", n_tokens: int = N_TOKENS, text: TextSpec = PLAIN, **chosen: Any) -> JobRequest:
    chosen = {"dim": 100, "epochs": 5} | chosen
    corpus = CorpusSource(name="c", key="corpora/c", sha256="0", n_bytes=6 * n_tokens)
    payload = TrainPayload(corpus=corpus, algorithm=algorithm, hyperparameters=chosen, text=text)
    return JobRequest("train", "m", payload.model_dump(mode="json"), cost=n_tokens * chosen["dim"] * chosen["epochs"])


def estimate(database: Database, storage: Storage, asked: JobRequest, read: TextShape | None = None) -> dict[str, Any]:
    with database.reading() as session:
        told = with_estimate(session, asked, read, SETTINGS, storage).estimate
    assert told is not None
    return told


def do(database: Database, clock: Clock, asked: JobRequest, estimated: dict[str, Any], seconds: float) -> None:
    """A job that took so long."""
    with database.transaction() as session:
        jobs.submit(session, replace(asked, estimate=estimated))
    taken = jobs.claim(database, "worker", lease_seconds=1e4, max_attempts=3)
    assert taken is not None
    clock.advance(seconds)
    with database.transaction() as session:
        jobs.succeed(session, taken, {"version": 1})


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
    morphemes = TextSpec.model_validate({"tokenizer": "mecab-ko"})
    longer = estimate(database, storage, request(text=morphemes))["seconds"] - before["seconds"]
    assert longer == pytest.approx(6 * N_TOKENS / 220e3 / 2, abs=0.2), "on two threads"
    for seconds in (900, 200, 150):
        do(database, clock, request(), estimate(database, storage, request()), seconds)
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
        job = jobs.submit(session, with_estimate(session, request(), None, SETTINGS, storage))
        other = jobs.submit(session, JobRequest("import", "m", {}))
    with database.reading() as session:
        kept = session.get_one(Job, job.id).estimate
        assert kept is not None
        assert kept["memory_bytes"] > 3 * 160_000 * 100 * 4
        assert session.get_one(Job, other.id).estimate is None


def importing(n_words: int = 400_000, **said: Any) -> tuple[JobRequest, TextShape]:
    """An import of such a file of word2vec, 100 numbers a word."""
    file = FileSource(name="f", revision=1, key="files/f", sha256="0", n_bytes=n_words * 410)
    payload = ImportPayload.model_validate({"file": file, "format": "auto", "text": TextSpec(), **said})
    return JobRequest("import", "m", payload.model_dump(mode="json")), TextShape(10, n_words, 100)


def test_an_import_is_told_what_its_table_needs_and_a_time_once_others_were_measured(
    database: Database, storage: Storage, clock: Clock
) -> None:
    asked = importing()
    before = estimate(database, storage, *asked)
    assert (before["seconds"], before["measured_jobs"]) == (None, 0)
    assert before["disk_bytes"] == before["storage_bytes"] == 400_000 * (400 + 40) + 100_352 * 400
    assert 400_000 * 400 < before["memory_bytes"] < 4 * 400_000 * 400
    for seconds in (50, 60, 900):
        do(database, clock, asked[0], before, seconds)
    assert estimate(database, storage, *asked)["seconds"] == pytest.approx(60)
    larger = estimate(database, storage, *importing(800_000))
    assert 2 * 60 < larger["seconds"] < 3 * 60, "100,000 words are compared with twice as many, and a graph is built"
    quick = estimate(database, storage, *importing(index="exact"))
    assert quick["seconds"] < 0.75 * 60
    assert estimate(database, storage, asked[0], None)["seconds"] is None, "a file of which nothing shows"
    assert estimate(database, storage, asked[0], None)["memory_bytes"] is None
    announce(database, "small", memory_bytes=2 * GIBIBYTE)
    assert estimate(database, storage, *asked)
    with pytest.raises(MemoryShort, match="at least"):
        estimate(database, storage, *importing(10_000_000))
    announce(database, "small", disk_bytes=20 * GIBIBYTE)
    with pytest.raises(StorageFull):
        estimate(database, storage, *importing(100_000_000))


@pytest.mark.parametrize(
    ("head", "name", "n_bytes", "shape"),
    [
        (b"king 1 2\nman 3 4\n", "glove", 17 * 50, (100, 2)),
        (b"70 2\nking 1 2\nman 3 4\n", "word2vec-text", 22 * 50, (70, 2)),
        (b"70 2\nking 12345678", "word2vec-binary", 1000, (70, 2)),
        (b"900000 2\nking 12345678", "word2vec-binary", 1000, (100, 2)),
        (b"9 999999999\nking 12345678", "word2vec-binary", 1000, None),
        (b"no vectors", "glove", 10, None),
        (b"\x93NUMPY", "npy", 1000, None),
    ],
)
def test_how_large_a_file_will_be_shows_at_its_beginning(
    head: bytes, name: str, n_bytes: int, shape: tuple[int, int] | None
) -> None:
    """A header is believed as far as so many bytes can hold what it promises."""
    found = expected_shape(head, name, n_bytes)
    assert (found and found[1:]) == shape


PARENT = Size(60_000, 100)


@pytest.mark.parametrize(
    ("steps", "storage_bytes"),
    [
        ([{"step": "center"}, {"step": "align", "to": "o"}], 60_000 * (400 + 440)),
        ([{"step": "reduce", "dim": 25}], 60_000 * (100 + 440)),
        ([{"step": "prune", "max_words": 6_000}], 6_000 * (400 + 440)),
        ([{"step": "quantise"}], 60_000 * (100 + 440)),
        ([{"step": "combine", "with": ["o"]}], 60_000 * (1600 + 440)),
        ([{"step": "combine", "with": ["o"], "vocabulary": "union", "dim": 50}], 90_000 * (200 + 440)),
        ([{"step": "prune", "min_count": 6}], None),
        ([{"step": "center"}, {"step": "hard"}], None),
    ],
)
def test_a_derivation_is_told_what_its_steps_make_of_the_table(
    steps: list[dict[str, Any]], storage_bytes: int | None
) -> None:
    source = {"model": "m", "version": 1, "prefix": "p", "manifest_sha256": "0"}
    said = {"parent": source, "steps": steps, "versions": {"o": source | {"model": "o"}}, "files": {}}
    payload = DerivePayload.model_validate(said)
    tables = {"m@1": PARENT, "o@1": Size(90_000, 300)}
    needed, like = OTHERS["derive"](Asked(payload, None, tables, 2))
    assert needed.storage_bytes == storage_bytes
    assert (needed.memory_bytes is None) == (storage_bytes is None)
    assert like == [step["step"] for step in steps]
    if needed.memory_bytes is not None:
        assert needed.memory_bytes > 60_000 * (400 + 1000), "the parent's words are held, whatever is left of them"
    composed = OTHERS["derive"](Asked(payload, None, tables | {"m@1": PARENT._replace(is_plain=False)}, 2)).needs
    assert composed.storage_bytes is None, "what its words are made of is not counted"
