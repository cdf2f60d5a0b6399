"""Submitting a training that goes on from a version. No trainer runs here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from app.core.catalog import get_version
from app.core.records import Job
from app.core.table.parts import Ngrams, Parts
from benchmarks.world import add_version
from tests.published import World, random_vectors, write_version

WORDS = [f"w{i}" for i in range(30)]
BODY: dict[str, Any] = {"model": "m", "corpus": "c", "algorithm": "word2vec", "hyperparameters": {"dim": 4}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Versions 1 and 2 of the model `first`; `small` is quantised, `parts` has n-grams."""
    world = World(tmp_path_factory.mktemp("world"))
    for seed in range(2):
        world.publish("first", WORDS, random_vectors(30, 4, seed))
    ngrams = Parts(Ngrams(min_n=3, max_n=6, n_buckets=2_000_000), random_vectors(1, 4), np.array([7], np.int32))
    world.publish("parts", WORDS, random_vectors(30, 4), parts=ngrams)
    folder = world.folder / "small"
    written = write_version(folder, WORDS, random_vectors(30, 4), encoding="int8")
    add_version(world.database, world.storage, "small", folder, written)
    yield world
    world.close()


@pytest.fixture(scope="module")
def http(world: World) -> Iterator[httpx.Client]:
    with world.served() as client:
        client.put("/corpora/c", content=b"w1 w2 w3\n" * 10)
        yield client


def submit(http: httpx.Client, start: dict[str, Any] | None, **said: Any) -> httpx.Response:
    return http.post("/jobs", json=BODY | {"start": start} | said)


def test_the_version_is_pinned_held_and_aligned_to(world: World, http: httpx.Client) -> None:
    submitted = submit(http, {"model": "first", "version": 1, "freeze": ["w1"], "anchor_strength": 2}, continuable=True)
    assert submitted.status_code == 202, submitted.text
    assert submitted.json()["start"] == {"model": "first", "version": 1, "freeze": 1, "anchor_strength": 2}
    with world.database.reading() as session:
        job = session.get_one(Job, submitted.json()["id"])
        payload = job.payload
        assert job.versions == ["first@1"]
    assert payload["start"]["version"] == payload["align"]
    assert (payload["start"]["freeze"], payload["start"]["anchor_strength"]) == (["w1"], 2)
    assert payload["continuable"] is True
    refused = http.delete("/models/first/versions/1")
    assert (refused.status_code, refused.json()["job"]) == (409, job.id)
    http.post(f"/jobs/{job.id}/cancel")
    latest = submit(http, {"model": "first"}, align=False).json()
    with world.database.reading() as session:
        job = session.get_one(Job, latest["id"])
        assert (job.versions, job.payload["align"]) == (["first@2"], None)
        assert job.payload["start"]["version"]["version"] == 2
        assert (job.payload["start"]["freeze"], job.payload["start"]["anchor_strength"]) == ("none", 0.5)


@pytest.mark.parametrize(
    ("algorithm", "hyperparameters", "rate"),
    [
        ("word2vec", {}, 0.0125),
        ("word2vec", {"architecture": "cbow"}, 0.06),
        ("word2vec", {"preset": "fast"}, 0.06),
        ("word2vec", {"learning_rate": 0.03}, 0.03),
        ("glove", {}, 0.025),
        ("fasttext", {}, 0.025),
        ("glove", {"glove_update": "standard"}, 0.05),
    ],
)
def test_it_steps_half_as_far_unless_it_is_told_how_far(
    http: httpx.Client, algorithm: str, hyperparameters: dict[str, Any], rate: float
) -> None:
    submitted = submit(http, {"model": "parts"}, algorithm=algorithm, hyperparameters=hyperparameters | {"dim": 4})
    assert submitted.json()["hyperparameters"]["learning_rate"] == pytest.approx(rate)


@pytest.mark.parametrize(
    ("start", "said", "status", "detail"),
    [
        (
            {"model": "first"},
            {"hyperparameters": {}},
            422,
            "first@2 has 4 dimensions, and this training 100; say dim = 4",
        ),
        ({"model": "small"}, {}, 422, "small@1 is quantised"),
        ({"model": "first"}, {"text": {"case": "keep"}}, 422, "first@2 was read with case 'lower'"),
        ({"model": "first"}, {"text": {"keep_tokens": ["c++"]}}, 422, "read with keep_tokens []"),
        ({"model": "first", "freeze": "parent"}, {"output": "input+output"}, 422, "needs output 'input'"),
        ({"model": "first"}, {"algorithm": "fasttext"}, 422, "first@2 has no n-grams to go on from; give it some with"),
        (
            {"model": "parts"},
            {"algorithm": "fasttext", "hyperparameters": {"dim": 4, "unit": "jamo"}},
            422,
            "parts@1 has n-grams of unit character, and this training jamo; say unit = character",
        ),
        (
            {"model": "parts"},
            {"algorithm": "fasttext", "hyperparameters": {"dim": 4, "max_n": 5}},
            422,
            "n-grams of max_n 6, and this training 5",
        ),
        ({"model": "first"}, {"output": "input+output"}, 422, "trained so and with continuable = true"),
        ({"model": "first", "version": 9}, {}, 404, "no version 9"),
        ({"model": "none"}, {}, 404, "no model 'none'"),
        ({"model": "first", "freeze": []}, {}, 422, "start.freeze"),
        ({"model": "first", "anchor_strength": -1}, {}, 422, "start.anchor_strength"),
    ],
)
def test_what_cannot_be_gone_on_from_is_refused(
    http: httpx.Client, start: dict[str, Any] | None, said: dict[str, Any], status: int, detail: str
) -> None:
    if "output" in said:
        said = {"hyperparameters": {"dim": 4} | said}
    refused = submit(http, start, **said)
    assert refused.status_code == status
    assert detail in refused.text


def test_unknown_counts_are_refused(world: World, http: httpx.Client) -> None:
    with world.database.transaction() as session:
        version = get_version(session, "first", 1)
        version.manifest = version.manifest | {"counts_known": False}
    refused = submit(http, {"model": "first", "version": 1})
    assert refused.status_code == 422
    assert "how often words of first@1 occur is not known" in refused.text


def test_a_huffman_tree_is_not_continuable(http: httpx.Client) -> None:
    chosen = {"dim": 4, "objective": "hierarchical-softmax"}
    refused = http.post("/jobs", json=BODY | {"continuable": True, "hyperparameters": chosen})
    assert refused.status_code == 422
    assert "fit no other tree" in refused.json()["detail"]


def test_a_request_of_before_is_the_same_request(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "k"}
    first = http.post("/jobs", json=BODY, headers=key).json()["id"]
    assert http.post("/jobs", json=BODY | {"continuable": False}, headers=key).json()["id"] == first
    assert http.post("/jobs", json=BODY | {"start": {"model": "first"}}, headers=key).status_code == 422
