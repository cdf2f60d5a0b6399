"""Nothing in one job ends the trainer, and an optional step never decides its outcome."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from app.core import jobs
from app.core.database import Database
from app.core.errors import StorageUnavailable
from app.core.jobs import JobRequest
from app.core.records import Job
from app.core.settings import Settings
from app.core.storage import Storage
from tests.published import wait_until
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.scratch import scratch_folder
from trainer.work.worker import Worker


@contextmanager
def working(database: Database, storage: Storage, settings: Settings) -> Iterator[threading.Thread]:
    worker = Worker(database, storage, settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield thread
    finally:
        worker.stop()
        thread.join()


def submit(database: Database, kind: str = "train") -> str:
    with database.transaction() as session:
        return jobs.submit(session, JobRequest(kind, "m", {})).id


def read(database: Database, job_id: str) -> Job:
    with database.reading() as session:
        return jobs.get(session, job_id)


def test_a_trainer_that_cannot_write_says_so_and_lives(database_url: str, storage: Storage, tmp_path: Path) -> None:
    """Its scratch folder is a file: each attempt fails, the job too in the end, and the trainer goes on."""
    scratch = tmp_path / "scratch"
    scratch.write_text("no folder")
    database = Database(database_url)
    settings = Settings(data_dir=tmp_path, scratch_dir=scratch, worker_poll_seconds=0.02, max_attempts=2)
    job_id = submit(database)
    with working(database, storage, settings) as thread:
        wait_until(lambda: read(database, job_id).state == "failed")
        assert thread.is_alive()
        scratch.unlink()
        other = submit(database, "knit")
        wait_until(lambda: read(database, other).state == "failed", seconds=60)
    error = read(database, job_id).error
    assert error is not None
    assert (error["type"], read(database, job_id).attempts) == ("/problems/trainer-broken", 2)
    error = read(database, other).error
    assert error is not None
    assert error["type"] == "/problems/job-unreadable"
    database.close()


def test_a_checkpoint_that_cannot_be_saved_costs_nothing_but_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage((tmp_path / "storage").as_uri(), cache=tmp_path / "cache")
    checkpoints = StorageCheckpoints(storage, "checkpoints/job/latest", tmp_path, 1.0)
    arrays = {"numbers": np.arange(3)}
    with monkeypatch.context() as patch:
        patch.setattr(storage, "put_file", _raise(StorageUnavailable()))
        checkpoints.save(arrays, {"epoch": 1})
    (tmp_path / "checkpoint").write_text("a file where the folder should be")
    checkpoints.save(arrays, {"epoch": 1})
    assert checkpoints.load() is None
    (tmp_path / "checkpoint").unlink()
    checkpoints.save(arrays, {"epoch": 2})
    loaded = checkpoints.load()
    assert loaded is not None
    assert loaded[1]["epoch"] == 2


def _raise(error: Exception) -> object:
    def raising(*_: object) -> None:
        raise error

    return raising


def test_many_trainers_share_one_scratch_folder(tmp_path: Path) -> None:
    """Each removes what dead ones left, never what another has just made."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(150):
                with scratch_folder(tmp_path) as folder:
                    (folder / "file").write_text("x")
                    assert (folder / "file").read_text() == "x"
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(tmp_path.iterdir()) == []
