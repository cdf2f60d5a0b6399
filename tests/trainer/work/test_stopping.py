"""A trainer that is asked to end saves where its training is and gives the job back; the next goes on from there."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.core import jobs, names
from app.core.catalog import corpora
from app.core.catalog.uploads import CorpusContent
from app.core.database import Database
from app.core.jobs import JobRequest
from app.core.records import Job
from app.core.storage import Storage
from tests.published import wait_until

TEXT = "\n".join(" ".join(random.Random(n).choices("abcdefghijkl", k=20)) for n in range(4000)).encode()
EPOCHS = 100
SECONDS = 240


@contextmanager
def trainer(folder: Path, database_url: str) -> Iterator[None]:
    """A trainer until it is asked to end, which it does within the grace."""
    settings = {
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "CHECKPOINT_SECONDS": "3600",
        "HEARTBEAT_SECONDS": "0.1",
        "TRAINER_THREADS": "1",
        "STOP_GRACE_SECONDS": f"{SECONDS}",
    }
    environment = os.environ | {f"WORDKIN_{name}": value for name, value in settings.items()}
    process = subprocess.Popen([sys.executable, "-m", "trainer"], env=environment)
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def submit(database: Database, storage: Storage) -> str:
    storage.put_new(TEXT, "corpora/c")
    digest = hashlib.sha256(TEXT).hexdigest()
    source = {"name": "c", "revision": 1, "key": "corpora/c", "sha256": digest, "n_bytes": len(TEXT)}
    chosen = {"dim": 16, "epochs": EPOCHS, "min_count": 1, "subsampling_threshold": 0}
    payload = {"corpus": source, "algorithm": "word2vec", "hyperparameters": chosen, "text": {}}
    with database.transaction() as session:
        corpora.add(session, "c", CorpusContent("corpora/c", digest, len(TEXT), 1, 1))
        return jobs.submit(session, JobRequest("train", "m", payload)).id


def read(database: Database, job_id: str) -> tuple[Job, list[Any]]:
    """The job, and the epochs that have ended, each with its seconds."""
    with database.reading() as session:
        job = jobs.get(session, job_id)
        return job, job.history or []


@pytest.mark.timeout(3 * SECONDS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_trainer_that_is_asked_to_end_hands_its_job_back(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    storage = Storage((tmp_path / "storage").as_uri(), cache=tmp_path / "cache")
    job_id = submit(database, storage)
    with trainer(tmp_path, database_url):
        wait_until(lambda: read(database, job_id)[1], seconds=SECONDS)
    left, epochs = read(database, job_id)
    assert (left.state, left.attempts, left.retries) == ("queued", 0, 0), left.error
    assert storage.exists(names.checkpoint_key(job_id))  # the next that is due would come in an hour
    with trainer(tmp_path, database_url):
        wait_until(lambda: read(database, job_id)[0].state not in {"queued", "running"}, seconds=SECONDS)
    ended, all_epochs = read(database, job_id)
    assert (ended.state, ended.attempts) == ("succeeded", 1), ended.error
    assert len(all_epochs) == EPOCHS
    assert all_epochs[: len(epochs)] == epochs  # no other training would have taken the same seconds
    database.close()
