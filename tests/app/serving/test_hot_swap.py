"""Promises 2 and 3: moving an alias under load drops nothing, mixes nothing, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.published import World, random_vectors, wait_until

WORDS = [f"w{i}" for i in range(400)]
N_VERSIONS = 3
N_MOVES = 50
STATM = Path("/proc/self/statm")
QUESTIONS = [
    ("GET", "/neighbors?word=w7&k=5", None),
    ("GET", "/neighbors?word=w7&k=60", None),
    ("GET", "/analogy?a=w1&b=w2&c=w3", None),
    ("GET", "/similarity?a=w1&b=w2", None),
    ("POST", "/analogy", {"queries": [{"a": f"w{i}", "b": "w2", "c": "w3"} for i in range(20, 30)]}),
    ("POST", "/v1/embeddings", {"input": ["w1", "w2 w3"], "model": "m", "encoding_format": "float"}),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    for seed in range(N_VERSIONS):
        world.publish("m", WORDS, random_vectors(400, 16, seed))
    yield world
    world.close()


class Client(threading.Thread):
    """Asks everything again and again, and remembers what was answered."""

    def __init__(self, base_url: httpx.URL, stopping: threading.Event) -> None:
        super().__init__()
        self._base_url = base_url
        self._stopping = stopping
        self.answers: Counter[tuple[int, bytes, str | None]] = Counter()
        self.failures: list[object] = []
        self.n_not_modified = 0

    def run(self) -> None:
        etags: dict[int, str] = {}
        with httpx.Client(base_url=self._base_url, timeout=30) as client:
            while not self._stopping.is_set():
                for i, (method, path, body) in enumerate(QUESTIONS):
                    headers = {"If-None-Match": etags[i]} if i in etags else {}
                    try:
                        self._note(i, client.request(method, path, json=body, headers=headers), etags)
                    except httpx.HTTPError as error:
                        self.failures.append(error)

    def _note(self, i: int, response: httpx.Response, etags: dict[int, str]) -> None:
        etag = response.headers.get("etag")
        if response.status_code == 304:
            self.n_not_modified += 1
            if etag != etags[i]:
                self.failures.append(("304 with another ETag", etag))
        elif response.status_code == 200:
            self.answers[i, response.content, etag] += 1
            if etag:
                etags[i] = etag
        else:
            self.failures.append((response.status_code, response.text))


def pinned_answers(client: httpx.Client) -> set[tuple[int, bytes, str | None]]:
    """The one right answer of every version to every question."""
    right = set()
    for number in range(1, N_VERSIONS + 1):
        for i, (method, path, body) in enumerate(QUESTIONS):
            if "embeddings" in path:
                response = client.request(method, path, json={**(body or {}), "model": f"m@{number}"})
            else:
                response = client.request(method, path, json=body, params=_pinned(path, number))
            assert response.status_code == 200
            right.add((i, response.content, response.headers.get("etag")))
    n_gets = sum(method == "GET" for method, _, _ in QUESTIONS)
    assert len({etag for _, _, etag in right} - {None}) == N_VERSIONS * n_gets
    assert len({hashlib.sha256(content).digest() for _, content, _ in right}) == N_VERSIONS * len(QUESTIONS)
    return right


def _pinned(path: str, number: int) -> dict[str, Any]:
    return {**httpx.URL(path).params, "version": number}


def test_moving_an_alias_under_load(world: World) -> None:
    """50 moves, rolling back among them: no failure, every answer is one version's own, ETags follow."""
    stopping = threading.Event()
    with world.served() as client:
        right = pinned_answers(client)
        clients = [Client(client.base_url, stopping) for _ in range(3)]
        for thread in clients:
            thread.start()
        for n in range(N_MOVES):
            before = sum(sum(thread.answers.values()) for thread in clients)
            moved = client.put(
                "/models/m/aliases/latest", json={"version": 1 + n % N_VERSIONS}, headers={"If-Match": "*"}
            )
            assert moved.status_code == 200
            wait_until(lambda before=before: sum(sum(t.answers.values()) for t in clients) > before + 3)  # type: ignore[misc] # of a lambda's default
        stopping.set()
        for thread in clients:
            thread.join()
        history = client.get("/models/m/aliases/latest", params={"history": 1000}).json()["history"]
    assert [failure for thread in clients for failure in thread.failures] == []
    answers = sum((thread.answers for thread in clients), Counter[tuple[int, bytes, str | None]]())
    assert set(answers) <= right, "an answer is no version's"
    versions_seen = {content.partition(b'"version":')[2][:1] for _, content, _ in answers} - {b""}
    assert versions_seen == {b"1", b"2", b"3"}
    assert len(history) == N_VERSIONS + N_MOVES


def test_the_same_bytes_after_a_restart_and_in_another_process(world: World) -> None:
    with world.served() as client:
        before = pinned_answers(client)
    with world.served() as client, world.served() as other:
        assert pinned_answers(client) == before
        assert pinned_answers(other) == before


@pytest.mark.skipif(not STATM.exists(), reason="resident memory is read from /proc")
def test_swaps_leave_nothing_behind(tmp_path: Path) -> None:
    """Resident memory after 50 swaps of a 6 MB table: within 5 % of that after the first few."""
    world = World(tmp_path)
    words = [f"w{i}" for i in range(8000)]
    for seed in range(2):
        world.publish("m", words, random_vectors(8000, 100, seed))
    with world.served() as client:

        def swap(times: int) -> int:
            for n in range(times):
                client.put("/models/m/aliases/latest", json={"version": 1 + n % 2}, headers={"If-Match": "*"})
                assert client.get("/neighbors", params={"word": "w5", "k": 60}).json()["version"] == 1 + n % 2
            return resident_bytes()

        start = swap(10)
        end = swap(N_MOVES)
    world.close()
    assert end < 1.05 * start


def resident_bytes() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
