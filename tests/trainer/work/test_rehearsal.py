"""A trainer that waits compiles what a first job needs, once on a machine, and lets nobody wait for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import config

from app.core import jobs
from app.core.database import Database
from app.core.jobs import JobRequest
from app.core.settings import Settings
from app.core.storage import Storage
from tests.conftest import DATA
from trainer.work import small_job
from trainer.work.rehearsal import Rehearsal
from trainer.work.small_job import once, rehearse
from trainer.work.worker import Worker

JOB = """
import gc, hashlib, json, lzma, sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from app.core.payloads import CorpusSource, TrainPayload
from app.core.storage import Storage
from app.core.text import TextSpec
from tests.trainer.work.conftest import context_in
from trainer.work import small_job
from trainer.work.kinds import train

def compiled():
    return {(each.py_func.__qualname__, str(of)) for each in gc.get_objects() if isinstance(each, Dispatcher)
            for of in each.signatures}

folder = Path(sys.argv[1])
small_job.train_backwards(2, folder)
rehearsed = compiled()
text = lzma.decompress(Path(sys.argv[2]).read_bytes())
storage = Storage((folder / "storage").as_uri(), cache=folder / "cache")
storage.put_new(text, "corpora/c")
source = CorpusSource(name="c", key="corpora/c", sha256=hashlib.sha256(text).hexdigest(), n_bytes=len(text))
payload = TrainPayload(corpus=source, algorithm="word2vec", hyperparameters={}, text=TextSpec())
train.run(payload, context_in(storage, folder / "scratch"))
print(json.dumps({"rehearsed": len(rehearsed), "more": sorted(compiled() - rehearsed)}))
"""


def test_a_first_job_compiles_nothing_that_was_not_rehearsed(tmp_path: Path) -> None:
    """In a process of its own, as kernels that other tests have called would hide what is missing."""
    run = subprocess.run(
        [sys.executable, "-c", JOB, tmp_path, DATA / "corpora" / "fairy-tales.txt.xz"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["rehearsed"] > 10
    assert found["more"] == []


def is_to_be_done(file: Path) -> bool:
    with once(file) as is_due:
        return is_due


def break_off(file: Path) -> None:
    with once(file):
        raise ZeroDivisionError


def test_what_is_done_once_is_done_by_one_and_to_its_end(tmp_path: Path) -> None:
    it = tmp_path / "it"
    with pytest.raises(ZeroDivisionError):
        break_off(it)
    with once(it) as is_due:
        assert is_due, "what was broken off is left to the next"
        assert not is_to_be_done(it), "it is being done"
        assert is_to_be_done(tmp_path / "another")
    assert not is_to_be_done(it)


def test_kernels_are_compiled_once_for_each_folder_that_remembers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []
    monkeypatch.setattr(
        small_job, "train_backwards", lambda _threads, _folder: trained.append(getattr(config, "CACHE_DIR", ""))
    )
    for name in ("one", "one", "other"):
        (tmp_path / name).mkdir(exist_ok=True)
        monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / name))
        rehearse(1, tmp_path / "scratch")
    assert trained == [str(tmp_path / "one"), str(tmp_path / "other")]
    monkeypatch.setattr(config, "CACHE_DIR", "")
    rehearse(1, tmp_path / "scratch")
    assert len(trained) == 2, "no folder would remember it"


def test_a_rehearsal_begins_once_and_ends_with_its_trainer(tmp_path: Path) -> None:
    rehearsal = Rehearsal(Settings(data_dir=tmp_path))
    rehearsal.end()  # nothing has begun
    rehearsal.begin()
    first = rehearsal.process
    rehearsal.begin()
    assert rehearsal.process is first
    assert first is not None
    rehearsal.end()
    assert not first.is_alive()


def test_a_trainer_rehearses_when_no_job_waits(
    database_url: str, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_url)
    with database.transaction() as session:
        job_id = jobs.submit(session, JobRequest("knit", "m", {})).id
    worker = Worker(database, storage, Settings(data_dir=tmp_path, worker_poll_seconds=0.02, max_attempts=1))
    told = []

    def begin(_: Rehearsal) -> None:
        with database.reading() as session:
            told.append(jobs.get(session, job_id).state)
        worker.stop()

    monkeypatch.setattr(Rehearsal, "begin", begin)
    monkeypatch.setattr(Rehearsal, "end", lambda _: told.append("end"))
    worker.run()
    database.close()
    assert told == ["failed", "end"]
