"""What the worker writes of a job that runs, and when."""

from __future__ import annotations

import threading
from multiprocessing import Pipe
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.core import jobs
from app.core.database import Database
from app.core.jobs import JobRequest
from app.core.settings import Settings
from tests.published import wait_until
from trainer.work.attempt import Attempt
from trainer.work.messages import Advanced, Order, Stopped


def test_a_phase_is_written_when_it_begins(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next heartbeat is an hour away, and what a phase says after its beginning waits for it."""
    database = Database(database_url)
    with database.transaction() as session:
        jobs.submit(session, JobRequest("train", "m", {}))
    claim = jobs.claim(database, "worker", lease_seconds=60, max_attempts=1)
    assert claim
    receiving, sending = Pipe(duplex=False)
    settings = Settings(data_dir=tmp_path, heartbeat_seconds=3600.0, lease_seconds=3 * 3600.0)
    attempt = Attempt(database, settings, Order(claim, "", str(tmp_path), "", "", 1, 0.0), threading.Event())
    monkeypatch.setattr(attempt, "_start", lambda: (Mock(), receiving))
    thread = threading.Thread(target=attempt.run)
    thread.start()

    def say(phase: str, progress: float) -> None:
        sending.send(Advanced(phase, None, progress, progress, None, {}))

    def told() -> tuple[str | None, float]:
        with database.reading() as session:
            job = jobs.get(session, claim.job_id)
            return job.phase, job.progress

    try:
        for phase, progress in (("reading", 0.0), ("training", 0.25), ("publishing", 0.75)):
            say(phase, progress)
            wait_until(lambda: told() == (phase, progress))  # noqa: B023 (called at once)
            say(phase, progress + 0.1)
    finally:
        sending.send(Stopped())
        thread.join()
    assert told() == ("publishing", 0.75)
    database.close()
