"""Which version a training is aligned to: decided when it is submitted. No trainer runs here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.records import Job
from tests.published import World, random_vectors

WORDS = [f"w{i}" for i in range(30)]
BODY: dict[str, Any] = {"model": "m", "corpus": "c", "algorithm": "word2vec"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Version 3 is `latest`, 1 is `staging`."""
    world = World(tmp_path / "world")
    for seed in range(3):
        world.publish("m", WORDS, random_vectors(30, 4, seed))
    yield world
    world.close()


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    with world.served() as client:
        client.put("/corpora/c", content=b"w1 w2 w3\n" * 10)
        client.put("/models/m/aliases/staging", json={"version": 1})
        yield client


def aligned_to(world: World, http: httpx.Client, **said: Any) -> int | None:
    submitted = http.post("/jobs", json=BODY | said)
    assert submitted.status_code == 202, submitted.text
    with world.database.reading() as session:
        job = session.get_one(Job, submitted.json()["id"])
        align = job.payload["align"]
        assert job.versions == ([f"m@{align['version']}"] if align else None)
    return align["version"] if align else None


def test_it_is_that_of_the_alias_that_will_move(world: World, http: httpx.Client) -> None:
    assert aligned_to(world, http) == 3
    assert aligned_to(world, http, publish={"alias": "staging"}) == 1
    assert aligned_to(world, http, publish={"alias": "new"}) == 3
    assert aligned_to(world, http, publish={"alias": None}) == 3
    assert aligned_to(world, http, align=False) is None
    assert aligned_to(world, http, model="another") is None


def test_it_stays_until_the_job_has_ended(http: httpx.Client) -> None:
    job = http.post("/jobs", json=BODY | {"publish": {"alias": "staging"}}).json()
    http.put("/models/m/aliases/staging", json={"version": 3}, headers={"If-Match": "*"})
    refused = http.delete("/models/m/versions/1")
    assert (refused.status_code, refused.json()["job"]) == (409, job["id"])
    http.post(f"/jobs/{job['id']}/cancel")
    assert http.delete("/models/m/versions/1").status_code == 204


def test_a_request_of_before_is_the_same_request(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "k"}
    first = http.post("/jobs", json=BODY, headers=key).json()["id"]
    assert http.post("/jobs", json=BODY | {"align": True}, headers=key).json()["id"] == first
    assert http.post("/jobs", json=BODY | {"align": False}, headers=key).status_code == 422
