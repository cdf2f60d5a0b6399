"""A real service: API and trainer processes, spoken to over HTTP."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from app.command.demo import build_corpus
from app.command.processes import Service, running
from app.core.settings import Settings
from tests.conftest import KINDS, empty_database

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


@contextmanager
def started(folder: Path, database_url: str) -> Iterator[Service]:
    """A service with leases short enough to wait for."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (FAST | {"WORDKIN_DATABASE_URL": database_url}).items():
            patch.setenv(name, value)
        with running(Settings(data_dir=folder / "data", port=0)) as service:
            yield service


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """A service on each kind of database, of the test's own: for what kills it."""
    with started(tmp_path, database_url) as service:
        yield service


@pytest.fixture
def http(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module", params=KINDS)
def shared_service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One on each kind of database for all tests of a module that leave it as it was, but for models of their own."""
    folder = tmp_path_factory.mktemp("shared")
    with empty_database(request, folder) as url, started(folder, url) as service:
        yield service


@pytest.fixture
def shared(shared_service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shared_service.url, timeout=30) as client:
        yield client


def wait_for(what: Callable[[], T | None], seconds: float, why: str) -> T:
    """The first true value of `what`, asked again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:g} s for {why}")


def upload(http: httpx.Client, text: bytes, name: str = "bible") -> None:
    digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
    response = http.put(f"/corpora/{name}", content=text, headers={"Repr-Digest": f"sha-256=:{digest}:"})
    assert response.status_code == 201, response.text
    assert response.json()["sha256"] == hashlib.sha256(text).hexdigest()


def submit(
    http: httpx.Client, algorithm: str = "word2vec", model: str = "bible", corpus: str = "bible", **changes: Any
) -> Json:
    hyperparameters = {"dim": 100, "epochs": 10, "min_count": 10} | changes
    body = {"model": model, "corpus": corpus, "algorithm": algorithm, "hyperparameters": hyperparameters}
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


def finished(http: httpx.Client, body: Json) -> Json:
    job = http.post("/jobs", json=body)
    assert job.status_code == 202, job.text
    ended = job_in_state(http, job.json()["id"], "succeeded", "failed")
    assert ended["state"] == "succeeded", ended
    return ended


def served_version(http: httpx.Client, number: int, model: str = "bible") -> Json:
    """The answer to a query once the version is loaded as `latest`."""

    def find() -> Json | None:
        response = http.get("/similarity", params={"model": model, "a": "king", "b": "queen"})
        return response.json() if response.is_success and response.json()["version"] == number else None

    return wait_for(find, 20, f"version {number} to be served")
