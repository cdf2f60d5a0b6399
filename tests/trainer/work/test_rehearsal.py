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
from trainer.kernels.cache import once
from trainer.work.rehearsing import Rehearsing
from trainer.work.worker import Worker

JOB = """
import gc, hashlib, json, lzma, sys
from pathlib import Path
import numba.core.config
from numba.core.dispatcher import Dispatcher
from app.core.payloads import CorpusSource, TrainPayload
from app.core.storage import Storage
from app.core.text import TextSpec
from tests.trainer.work.conftest import context_in
from trainer.work import rehearsal
from trainer.work.kinds import train

def compiled():
    return {(each.py_func.__qualname__, str(of)) for each in gc.get_objects() if isinstance(each, Dispatcher)
            for of in each.signatures}

folder = Path(sys.argv[1])
rehearsal.train_backwards(2, folder)
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


def is_to_be_done(what: str) -> bool:
    with once(what) as is_ours:
        return is_ours


def break_off(what: str) -> None:
    with once(what):
        raise ZeroDivisionError


def test_what_is_done_once_is_done_by_one_and_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        break_off("it")
    with once("it") as is_ours:
        assert is_ours, "what was broken off is left to the next"
        assert not is_to_be_done("it"), "it is being done"
        assert is_to_be_done("another")
    assert not is_to_be_done("it")
    monkeypatch.setattr(config, "CACHE_DIR", "")
    assert not is_to_be_done("a third"), "no folder would remember it"


def test_a_rehearsal_begins_once_and_ends_with_its_trainer(tmp_path: Path) -> None:
    rehearsing = Rehearsing(Settings(data_dir=tmp_path))
    rehearsing.end()  # nothing has begun
    rehearsing.begin()
    first = rehearsing.process
    rehearsing.begin()
    assert rehearsing.process is first
    assert first is not None
    rehearsing.end()
    assert not first.is_alive()


def test_a_trainer_rehearses_when_no_job_waits(
    database_url: str, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_url)
    with database.transaction() as session:
        job_id = jobs.submit(session, JobRequest("knit", "m", {})).id
    worker = Worker(database, storage, Settings(data_dir=tmp_path, worker_poll_seconds=0.02, max_attempts=1))
    told = []

    def begin(_: Rehearsing) -> None:
        with database.reading() as session:
            told.append(jobs.get(session, job_id).state)
        worker.stop()

    monkeypatch.setattr(Rehearsing, "begin", begin)
    monkeypatch.setattr(Rehearsing, "end", lambda _: told.append("end"))
    worker.run()
    database.close()
    assert told == ["failed", "end"]
