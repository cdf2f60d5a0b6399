"""Whose a job and an upload are, and what a key may take, over HTTP. One small service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.core.records import ApiKey
from tests.keyed import bearer, make_key
from tests.published import World

LIMITS = {"max_bytes": 100, "max_jobs": 2, "max_cost": 100_000}
JOB = {"model": "m", "corpus": "c", "algorithm": "glove", "hyperparameters": {"dim": 100, "epochs": 10}}


class Service:
    """A service in a thread, asked with one of its keys."""

    def __init__(self, world: World, http: httpx.Client) -> None:
        self.world, self.http = world, http
        limits: dict[str, Any] = {"small": LIMITS}
        self.headers = {
            name: bearer(make_key(world.database, scope, **limits.get(name, {})))
            for name, scope in (("small", "train"), ("large", "train"), ("admin", "admin"))
        }

    def ask(self, key: str, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, path, headers=self.headers[key], **options)

    def owner(self, key: str) -> str:
        """The id of the key."""
        return self.headers[key]["Authorization"].split("_")[1]

    def submit(self, key: str, **said: Any) -> httpx.Response:
        return self.ask(key, "POST", "/jobs", json=JOB | said)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    world = World(tmp_path)
    service = Service(world, httpx.Client())
    with world.served() as http:
        service.http = http
        assert service.ask("large", "PUT", "/corpora/c", content=b"one two three\n").status_code == 201
        yield service
    world.close()


def test_what_a_key_has_made_has_its_owner(service: Service) -> None:
    assert service.ask("admin", "GET", "/corpora/c").json()["owner"] == service.owner("large")
    assert service.ask("small", "PUT", "/files/f", content=b"x").json()["owner"] == service.owner("small")
    job = service.submit("small").json()
    assert (job["owner"], job["priority"], job["cost"]) == (service.owner("small"), 0, 3 * 10 * 100)
    other = service.submit("large", priority=-3).json()
    assert (other["owner"], other["priority"]) == (service.owner("large"), -3)
    listed = service.ask("admin", "GET", f"/jobs?owner={job['owner']}").json()["jobs"]
    assert [each["id"] for each in listed] == [job["id"]]


def test_a_key_may_store_so_much(service: Service) -> None:
    def send(name: str, content: bytes | Iterator[bytes]) -> tuple[int, str | None]:
        answer = service.ask("small", "PUT", f"/corpora/{name}", content=content)
        return answer.status_code, answer.json().get("type")

    text = b"a b c d e\n"
    assert send("a", text * 6) == (201, None)
    assert send("b", text * 5) == (507, "/problems/quota-exceeded")
    assert send("a", text * 6) == (200, None), "the same again takes nothing"
    assert send("b", text * 11) == (413, "/problems/corpus-too-large"), "it could never fit, and is not taken in"
    assert send("b", iter([text] * 11)) == (413, "/problems/corpus-too-large")
    assert send("b", text * 4) == (201, None)
    assert service.ask("large", "PUT", "/corpora/large", content=text * 50).status_code == 201
    assert len(service.world.storage.keys("corpora")) == 4, "nothing stays of what was refused"


def test_a_key_may_let_so_many_jobs_wait_and_let_one_cost_so_much(service: Service) -> None:
    costly = service.submit("small", hyperparameters={"dim": 200, "epochs": 200})
    assert (costly.status_code, costly.json()["type"]) == (422, "/problems/job-too-costly")
    assert (costly.json()["cost"], costly.json()["limit_cost"]) == (120_000, 100_000)
    assert service.submit("large", hyperparameters={"dim": 200, "epochs": 200}).status_code == 202
    answers = [service.submit("small") for _ in range(3)]
    assert [each.status_code for each in answers] == [202, 202, 429]
    refused = answers[2]
    assert (refused.json()["type"], refused.json()["limit_jobs"]) == ("/problems/queue-full", 2)
    assert int(refused.headers["Retry-After"]) >= 1
    assert service.submit("large").status_code == 202, "another key has places of its own"


@pytest.mark.parametrize("said", [{}, {"kind": "import", "file": "f", "algorithm": None}])
def test_only_an_admin_lets_a_job_go_before_others(service: Service, said: dict[str, Any]) -> None:
    service.ask("large", "PUT", "/files/f", content=b"king 1 2\nqueen 2 1\n")
    job = {name: value for name, value in ({"model": "m", "priority": 1} | said).items() if value is not None}
    job |= {} if said else JOB
    refused = service.ask("large", "POST", "/jobs", json=job)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-permitted")
    taken = service.ask("admin", "POST", "/jobs", json=job)
    assert (taken.status_code, taken.json()["priority"]) == (202, 1), taken.text
    beyond = service.ask("admin", "POST", "/jobs", json=job | {"priority": 11})
    assert beyond.status_code == 422


def test_a_key_is_made_with_its_limits(service: Service) -> None:
    made = service.ask("admin", "POST", "/keys", json={"name": "x", "scope": "train", **LIMITS}).json()
    assert {name: made[name] for name in LIMITS} == LIMITS
    assert made["owner"] == made["id"]
    with service.world.database.reading() as session:
        stored = session.scalars(select(ApiKey).where(ApiKey.id == made["id"])).one()
    assert (stored.max_bytes, stored.max_jobs, stored.max_cost) == (100, 2, 100_000)
    newer = service.ask("admin", "POST", f"/keys/{made['id']}/rotate", json={}).json()
    assert (newer["owner"], newer["max_jobs"]) == (made["id"], 2)
    for name in LIMITS:
        for wrong in (0, -1, True, 1 << 63):
            said = {"name": "x", name: wrong}
            assert service.ask("admin", "POST", "/keys", json=said).status_code == 422, said
