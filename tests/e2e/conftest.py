"""A real service: API and trainer processes, spoken to over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from app.command.demo import build_corpus
from app.command.processes import Service, running
from app.core.settings import Settings

Json = dict[str, Any]
T = TypeVar("T")
FAST = {"WORDKIN_LEASE_SECONDS": "3", "WORDKIN_HEARTBEAT_SECONDS": "0.5", "WORDKIN_CHECKPOINT_SECONDS": "1"}


@pytest.fixture(scope="session")
def bible(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """1.57 million words, a chapter a line."""
    path = tmp_path_factory.mktemp("corpus") / "bible.txt"
    build_corpus(path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def verses(bible: bytes) -> bytes:
    """The first third of it, for what needs no good vectors."""
    return bible[: bible.index(b"\n", len(bible) // 3) + 1]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Service]:
    """A service on each kind of database, with leases short enough to wait for."""
    for name, value in FAST.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WORDKIN_DATABASE_URL", database_url)
    with running(Settings(data_dir=tmp_path / "data", port=0)) as service:
        yield service


@pytest.fixture
def http(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=30) as client:
        yield client


def wait_for(what: Callable[[], T | None], seconds: float, why: str) -> T:
    """The first true value of `what`, asked again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:g} s for {why}")


def submit(http: httpx.Client, algorithm: str = "word2vec", model: str = "bible", **changes: Any) -> Json:
    hyperparameters = {"dim": 64, "epochs": 10, "min_count": 10} | changes
    body = {"model": model, "corpus": "bible", "algorithm": algorithm, "hyperparameters": hyperparameters}
    response = http.post("/jobs", json=body)
    assert response.status_code == 202, response.text
    job: Json = response.json()
    assert response.headers["Location"] == f"/jobs/{job['id']}"
    return job


def job_in_state(http: httpx.Client, job_id: str, *states: str, seconds: float = 120) -> Json:
    def find() -> Json | None:
        job: Json = http.get(f"/jobs/{job_id}").json()
        return job if job["state"] in states else None

    return wait_for(find, seconds, f"the job to be {' or '.join(states)}")


def served_version(http: httpx.Client, number: int) -> Json:
    """The answer to a query once the version is loaded as `latest`."""

    def find() -> Json | None:
        response = http.get("/similarity", params={"model": "bible", "a": "king", "b": "queen"})
        return response.json() if response.is_success and response.json()["version"] == number else None

    return wait_for(find, 20, f"version {number} to be served")
