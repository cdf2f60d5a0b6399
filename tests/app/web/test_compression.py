"""Long answers are compressed for those who take that; short ones and streams never."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.published import World, random_vectors

GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}
LONG: dict[str, Any] = {"word": "word0", "k": 1000}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    world = World(tmp_path_factory.mktemp("compressed"))
    world.publish("m", [f"word{i}" for i in range(1500)], random_vectors(1500, 12))
    with world.served() as client:
        yield client
    world.close()


@pytest.mark.parametrize(
    ("method", "path", "request_"),
    [
        ("GET", "/neighbors", {"params": LONG}),
        ("POST", "/neighbors", {"json": {"queries": [LONG]}}),
        ("GET", "/openapi.json", {}),
        ("GET", "/docs/swagger-ui-bundle.js", {}),
    ],
)
def test_a_long_answer_is_the_same_in_fewer_bytes(
    service: httpx.Client, method: str, path: str, request_: dict[str, Any]
) -> None:
    plain, packed = (service.request(method, path, headers=headers, **request_) for headers in (PLAIN, GZIP))
    assert plain.status_code == packed.status_code == 200
    assert "Content-Encoding" not in plain.headers
    assert (packed.headers["Content-Encoding"], packed.content) == ("gzip", plain.content)
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
    assert packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(("path", "k"), [("/neighbors", 100), ("/analogy", 10), ("/livez", 0)])
def test_a_short_answer_is_left_alone(service: httpx.Client, path: str, k: int) -> None:
    query: dict[str, Any] = (
        {"word": "word1", "k": k} if path == "/neighbors" else {"a": "word1", "b": "word2", "c": "word3", "k": k}
    )
    response = service.get(path, params=query if k else None, headers=GZIP)
    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers


def test_head_tells_the_length_that_get_has(service: httpx.Client) -> None:
    got, head = (service.request(method, "/neighbors", params=LONG, headers=GZIP) for method in ("GET", "HEAD"))
    assert head.headers["Content-Encoding"] == "gzip"
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_a_long_answer_is_not_sent_again_to_who_has_it(service: httpx.Client) -> None:
    etag = service.get("/neighbors", params=LONG, headers=GZIP).headers["ETag"]
    again = service.get("/neighbors", params=LONG, headers=GZIP | {"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_equal_answers_are_compressed_to_equal_bytes(service: httpx.Client) -> None:
    def raw() -> bytes:
        with service.stream("GET", "/neighbors", params=LONG, headers=GZIP) as response:
            return b"".join(response.iter_raw())

    once = raw()
    assert once == raw()
    assert gzip.decompress(once) == service.get("/neighbors", params=LONG, headers=PLAIN).content


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_event_streams_are_not_held_back(client: TestClient) -> None:
    client.put("/corpora/c", content=b"a b c\n")
    job = client.post("/jobs", json={"model": "m", "corpus": "c", "algorithm": "glove"})
    client.post(f"{job.headers['Location']}/cancel")
    events = client.get(f"{job.headers['Location']}/events", headers=GZIP)
    assert events.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in events.headers
