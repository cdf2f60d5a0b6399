"""Jobs of before they had a kind read as they did, and go back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import IntegrityError

from app.command.schema import alembic_config, migrate
from app.core import jobs
from app.core.database import Database
from app.core.settings import Settings
from app.jobs.described import JobDescription

BEFORE = "2026_11_22_initial"
ERROR = {"type": "/problems/vocabulary-empty", "title": "Vocabulary empty", "detail": "No word."}
MOMENT = "2026-11-20 10:00:00"
STATES: dict[str, dict[str, Any]] = {
    "a-queued": {"state": "queued"},
    "b-running": {
        "state": "running",
        "lease_token": "token",
        "phase": "training",
        "tokens_per_second": 3e6,
        "epoch": 2,
    },
    "c-succeeded": {"state": "succeeded", "version": 7, "loss": 2.5, "held_out_loss": 2.6, "epoch": 5},
    "d-failed": {"state": "failed", "error": json.dumps(ERROR), "corpus_id": None},
    "e-cancelled": {"state": "cancelled"},
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """At the schema of before, with a job in every state; the corpus of one is gone."""
    command.downgrade(alembic_config(Settings(database_url=database_url)), BEFORE)
    engine = create_engine(Database(database_url).url)
    with engine.begin() as connection:
        corpus = {"id": "c", "name": "bible", "key": "corpora/1", "sha256": "digest", "n": 9, "at": MOMENT}
        connection.execute(text("INSERT INTO corpora VALUES (:id, :name, :key, :sha256, :n, :n, :n, :at)"), corpus)
        for job_id, given in STATES.items():
            row: dict[str, Any] = {
                "id": job_id,
                "model": "m",
                "corpus": "bible",
                "corpus_id": "c",
                "algorithm": "word2vec",
            }
            row |= {"hyperparameters": '{"dim": 64}', "text": '{"case": "keep"}', "progress": 0.5, "attempts": 1}
            row |= {"created_at": MOMENT, **given}
            names = ", ".join(row)
            connection.execute(text(f"INSERT INTO jobs ({names}) VALUES (:{', :'.join(row)})"), row)
    yield engine
    engine.dispose()


def rows(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(text("SELECT * FROM jobs ORDER BY id"))]


def test_old_jobs_are_described_as_before(engine: Engine, database_url: str) -> None:
    migrate(Settings(database_url=database_url))
    database = Database(database_url)
    with database.reading() as session:
        found = {job.id: JobDescription.of(job) for job in jobs.page(session, limit=10)}
        payloads = {job.id: job.payload for job in jobs.page(session, limit=10)}
    assert found.keys() == STATES.keys()
    for job_id, given in STATES.items():
        told = found[job_id]
        assert (told.kind, told.model, told.corpus, told.algorithm) == ("train", "m", "bible", "word2vec")
        assert (told.hyperparameters, told.text) == ({"dim": 64}, {"case": "keep"})
        assert (told.state, told.progress, told.attempts) == (given["state"], 0.5, 1)
        for name in ("version", "loss", "held_out_loss", "epoch", "tokens_per_second", "phase"):
            assert getattr(told, name) == given.get(name)
        assert (told.error.model_dump() if told.error else None) == (ERROR if "error" in given else None)
    assert payloads["a-queued"]["corpus"] == {"name": "bible", "key": "corpora/1", "sha256": "digest", "n_bytes": 9}
    assert payloads["d-failed"]["corpus"] == {"name": "bible"}
    database.close()


def test_the_way_back_gives_the_same_rows(engine: Engine, database_url: str) -> None:
    before = rows(engine)
    migrate(Settings(database_url=database_url))
    command.downgrade(alembic_config(Settings(database_url=database_url)), BEFORE)
    assert rows(engine) == before


@pytest.mark.parametrize(
    "change",
    ["result = '{}'", "state = 'succeeded'", "state = 'running'", "state = 'failed'", "state = 'odd'", "kind = NULL"],
)
def test_the_rules_of_the_rows_hold_after_the_migration(engine: Engine, database_url: str, change: str) -> None:
    migrate(Settings(database_url=database_url))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(f"UPDATE jobs SET {change} WHERE id = 'a-queued'"))
