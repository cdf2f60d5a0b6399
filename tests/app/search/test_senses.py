"""Senses of words: planted ones over HTTP, real ones of GloVe, and wrong questions."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.serving import clusters
from tests.app.search.test_endpoints import ask, problem
from tests.conftest import DATA
from tests.published import FloatArray, World

N, DIM = 240, 24
GROUPS = 4
BETWEEN, WITHIN = "between", "within"
Json = dict[str, Any]


def planted() -> tuple[list[str], FloatArray]:
    """Four groups of words that are alike; one word between the first two, one in the midst of the third."""
    rng = np.random.default_rng(5)
    centers = rng.standard_normal((GROUPS, DIM))
    members = np.repeat(centers, N // GROUPS, axis=0) + 0.6 * rng.standard_normal((N, DIM))
    vectors = np.concatenate([[centers[0] + centers[1], centers[2]], members]).astype(np.float32)
    words = [BETWEEN, WITHIN, *(f"{group}{i}" for group in "abcd" for i in range(N // GROUPS))]
    return words, vectors


def real() -> tuple[list[str], FloatArray]:
    lines = lzma.decompress((DATA / "vectors" / "glove.6B.50d.sample.txt.xz").read_bytes()).decode().splitlines()
    rows = [line.split(" ") for line in lines]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float32)


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    world = World(tmp_path_factory.mktemp("senses"), default_model="planted")
    world.publish("planted", *planted())
    world.publish("real", *real())
    with world.served() as client:
        yield client
    world.close()


def groups(senses: list[Json]) -> list[set[str]]:
    return [{item["word"][0] for item in sense["words"]} for sense in senses]


def test_a_word_between_two_clusters_has_both_as_senses(http: httpx.Client) -> None:
    found = ask(http, "/senses", word=BETWEEN)
    assert (found["model"], found["version"], found["word"]) == ("planted", 1, BETWEEN)
    assert sorted(map(sorted, groups(found["senses"]))) == [["a"], ["b"]]
    assert sum(sense["share"] for sense in found["senses"]) == 1
    assert [sense["share"] for sense in found["senses"]] == sorted((s["share"] for s in found["senses"]), reverse=True)


def test_a_word_within_one_cluster_has_one(http: httpx.Client) -> None:
    (sense,) = ask(http, "/senses", word=WITHIN)["senses"]
    assert (sense["share"], len(sense["words"])) == (1.0, 50)
    near = ask(http, "/neighbors", word=WITHIN, k=50)["neighbors"]
    assert sense["words"] == near


def test_the_direction_of_a_sense_finds_its_words(http: httpx.Client) -> None:
    senses = ask(http, "/senses", word=BETWEEN)["senses"]
    asked = {"queries": [{"vector": sense["vector"], "k": 20} for sense in senses]}
    for sense, found in zip(senses, http.post("/neighbors", json=asked).json()["results"], strict=True):
        assert np.linalg.norm(sense["vector"]) == pytest.approx(1, abs=1e-6)
        assert {item["word"][0] for item in found["neighbors"]} == {sense["words"][0]["word"][0]}


def test_more_neighbors_than_are_stored_are_searched_for(http: httpx.Client) -> None:
    found = ask(http, "/senses", word=BETWEEN, k=100)["senses"]
    assert sorted(map(sorted, groups(found))) == [["a"], ["b"]]
    assert sum(len(sense["words"]) for sense in found) == 100


def test_words_of_real_vectors(http: httpx.Client) -> None:
    """A policeman is of the police, and a man; a day of the week is one thing."""
    found = [
        {item["word"] for item in s["words"]} for s in ask(http, "/senses", word="policeman", model="real")["senses"]
    ]
    assert len(found) == 2
    assert {"police", "attack", "army", "authorities"} <= found[0]
    assert {"man", "woman", "boy", "girl"} <= found[1]
    (day,) = ask(http, "/senses", word="monday", model="real")["senses"]
    assert [item["word"] for item in day["words"]][:3] == ["tuesday", "thursday", "wednesday"]


def test_the_same_question_has_the_same_bytes_alone_and_in_a_batch(http: httpx.Client) -> None:
    alone = http.get("/senses", params={"word": BETWEEN})
    assert alone.content == http.get("/senses", params={"word": BETWEEN, "model": "planted"}).content
    (together,) = http.post("/senses", json={"queries": [{"word": BETWEEN}]}).json()["results"]
    assert alone.json() == {"model": "planted", "version": 1, **together}


def test_wrong_questions(http: httpx.Client) -> None:
    missing = problem(http, "/senses", 404, word="betwen")
    assert (missing["missing"], missing["suggestions"]["betwen"]) == (["betwen"], [BETWEEN])
    problem(http, "/senses", 422, word="two words")
    problem(http, "/senses", 422, word=BETWEEN, k=201)
    problem(http, "/senses", 422)
    problem(http, "/senses", 404, word=BETWEEN, version="none")


def test_whispers_find_the_parts_of_a_graph() -> None:
    """Two triangles with a weak bridge, and a node alone."""
    links = np.zeros((7, 7))
    for a, b, weight in [(0, 2, 1), (2, 4, 1), (0, 4, 1), (1, 3, 1), (3, 5, 1), (1, 5, 1), (4, 5, 0.5)]:
        links[a, b] = links[b, a] = weight
    labels = clusters.whispers(links).tolist()
    assert [labels[node] for node in (2, 4)] == [labels[0]] * 2
    assert [labels[node] for node in (3, 5)] == [labels[1]] * 2
    assert len({labels[0], labels[1], labels[6]}) == 3


def test_few_words_are_one_sense_and_none_points_away(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish("few", ["a", "b", "c", "d"], np.array([[1, 0], [1, 0.1], [1, 0.2], [-1, 0]], np.float32))
    with world.served() as client:
        (sense,) = ask(client, "/senses", word="a")["senses"]
        assert ([item["word"] for item in sense["words"]], sense["share"]) == (["b", "c"], 1.0)
        assert ask(client, "/senses", word="d")["senses"] == []
    world.close()
