"""Neighbours with the number of trainings that found each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests.published import World, random_vectors
from trainer.publishing.neighbors import nearest_neighbors
from trainer.steps.progress import ignore
from trainer.work.replicas import Replica

WORDS = [f"w{i}" for i in range(80)]


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Version 1 of `m` has three trainings, of `once` one."""
    world = World(tmp_path_factory.mktemp("stability"))
    vectors = random_vectors(80, 8)
    noisy = [vectors + np.float32(0.5) * random_vectors(80, 8, seed) for seed in (1, 2)]
    units = [noise / np.linalg.norm(noise, axis=1, keepdims=True) for noise in noisy]
    tables = [nearest_neighbors(unit, threads=1, report=ignore) for unit in units]
    world.publish("m", WORDS, vectors, replicas=[Replica(table, {}, None) for table in tables])
    world.publish("once", WORDS, vectors)
    with world.served() as client:
        yield client
    world.close()


def ask(http: httpx.Client, **asked: Any) -> httpx.Response:
    return http.get("/neighbors", params={"model": "m", **asked})


def test_neighbours_say_how_many_trainings_found_them(http: httpx.Client) -> None:
    plain = ask(http, word="w3", k=20).json()
    answer = ask(http, word="w3", k=20, stability=True).json()
    assert answer["replicas"] == 3
    agreed = [neighbor.pop("agreement") for neighbor in answer["neighbors"]]
    assert answer["neighbors"] == plain["neighbors"]
    assert set(agreed) <= {1, 2, 3}
    assert len(set(agreed)) > 1


def test_those_that_few_found_are_left_out(http: httpx.Client) -> None:
    everything = ask(http, word="w3", k=50, stability=True).json()["neighbors"]
    sure = ask(http, word="w3", k=5, min_agreement=3).json()["neighbors"]
    assert sure == [neighbor for neighbor in everything if neighbor["agreement"] == 3][:5]
    (batched,) = http.post(
        "/neighbors", json={"model": "m", "queries": [{"word": "w3", "k": 5, "min_agreement": 3}]}
    ).json()["results"]
    assert batched["neighbors"] == sure


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"model": "once", "word": "w3", "stability": True}, "once@1 was trained once: train with `replicas`"),
        ({"text": "w3 w4", "stability": True}, "of the neighbours of one word"),
        ({"word": "w3", "stability": True, "prefix": "w"}, "without filters"),
        ({"word": "w3", "min_agreement": 2, "k": 51}, "stored for 50 neighbours of the first 80 words"),
    ],
)
def test_what_is_not_stored_is_told(http: httpx.Client, asked: dict[str, Any], told: str) -> None:
    refused = ask(http, **asked)
    assert refused.status_code == 422
    assert told in refused.json()["detail"]
