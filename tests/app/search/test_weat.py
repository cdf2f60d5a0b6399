"""Associations over HTTP: the numbers of plain references, what is missing, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Any

import httpx
import pytest

from app.core.evaluation.bias.words import shipped
from app.search.weat import WeatAnswer
from tests.oracles import bias as oracle
from tests.published import World, random_vectors

Json = dict[str, Any]
TEST = shipped("weat").tests["WEAT7"]
SETS = [[item.word for item in shipped("weat").sets[name]] for name in (*TEST.targets, *TEST.attributes)]
WORDS = [*dict.fromkeys(word for words in SETS for word in words), *(f"o{i}" for i in range(40))]
VECTORS = random_vectors(len(WORDS), 12, seed=3)


def rows(words: list[str]) -> list[list[float]]:
    found: list[list[float]] = VECTORS[[WORDS.index(word) for word in words]].tolist()
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    world = World(tmp_path_factory.mktemp("weat"), default_model="m")
    world.publish("m", WORDS, VECTORS)
    with world.served() as client:
        yield client
    world.close()


def ask(client: httpx.Client, **body: Any) -> Json:
    response = client.post("/weat", json=body)
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


def problem(client: httpx.Client, body: Json, slug: str) -> Json:
    response = client.post("/weat", json=body)
    assert response.status_code == 422, response.text
    found: Json = response.json()
    assert found["type"] == f"/problems/{slug}"
    return found


def test_a_shipped_test_is_answered_at_once(world: httpx.Client) -> None:
    found = ask(world, model="m", version="latest", test="WEAT7")
    x, y, a, b = map(rows, SETS)
    assert found["effect_size"] == pytest.approx(oracle.effect_size(x, y, a, b, 1), abs=1e-6)
    assert (found["model"], found["version"], found["test"], found["word_sets"]) == ("m", 1, "WEAT7", "weat@1")
    assert (found["n_partitions"], found["is_exact"], found["missing"]) == (12_870, True, [])
    assert found["p_value"] == found["n_as_extreme"] / 12_870
    assert found["interval"][0] < found["effect_size"] < found["interval"][1]
    assert found["targets"] == [{"name": "math", "n": 8, "n_used": 8}, {"name": "arts", "n": 8, "n_used": 8}]
    words = {each["word"]: each["effect_size"] for each in found["words"]}
    assert words.keys() == {*SETS[0], *SETS[1]}
    assert list(words.values()) == sorted(words.values(), reverse=True)
    for word in ("algebra", "poetry"):
        assert words[word] == pytest.approx(oracle.single_category(rows([word])[0], a, b, 1), abs=1e-6)
    WeatAnswer.model_validate_json(world.post("/weat", json={"test": "WEAT7"}).content, strict=True)


def test_words_of_ones_own_with_missing_and_alternatives(world: httpx.Client) -> None:
    targets = [[*SETS[0][:7], "nothing"], [*SETS[1][:5], {"word": "statue", "alternatives": ["SCULPTURE", "art"]}]]
    found = ask(world, targets=targets, attributes=SETS[2:], deviation="n", alternative="two-sided")
    x, y, a, b = rows(SETS[0][:7]), rows([*SETS[1][:5], "sculpture"]), rows(SETS[2]), rows(SETS[3])
    assert found["effect_size"] == pytest.approx(oracle.effect_size(x, y, a, b, 0), abs=1e-6)
    of_x, of_y = ([oracle.association(w, a, b) for w in each] for each in (x, y))
    assert found["mean_difference"] == pytest.approx(fmean(of_x) - fmean(of_y), abs=1e-6)
    assert (found["missing"], found["n_partitions"], found["deviation"]) == (["nothing"], 1716, "n")
    assert found["targets"][0] == {"name": "targets 1", "n": 8, "n_used": 7}
    assert (found["test"], found["word_sets"]) == (None, None)
    assert "sculpture" not in {each["word"] for each in found["words"]}  # words are told as they were written
    assert "SCULPTURE" in {each["word"] for each in found["words"]}


def test_equal_questions_have_equal_bytes(world: httpx.Client) -> None:
    many = [[f"o{i}" for i in range(20)], [f"o{i}" for i in range(20, 40)]]
    body = {"targets": many, "attributes": SETS[2:], "n_permutations": 2000, "seed": 5}
    first, second = (world.post("/weat", json=body).content for _ in range(2))
    assert first == second
    found = ask(world, **body)
    assert (found["n_partitions"], found["is_exact"], found["seed"]) == (2001, False, 5)
    assert found["n_as_extreme"] != ask(world, **body | {"seed": 6})["n_as_extreme"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"test": "WEAT1"}, "flowers: 25 of 25 words have no vector"),
        ({"targets": [SETS[0][:5], SETS[1][:5]], "attributes": SETS[2:]}, "no p below 0.004"),
        ({"targets": [SETS[0], ["nothing"] * 8], "attributes": SETS[2:], "max_missing": 1}, "targets 2: 8 of 8"),
    ],
)
def test_sets_that_cannot_be_used_are_refused(world: httpx.Client, body: Json, told: str) -> None:
    found = problem(world, body, "word-set-unusable")
    assert told in found["detail"]
    assert isinstance(found["missing"], list)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"test": "WEAT11"}, "There is no test 'WEAT11'. There are: WEAT1, "),
        ({}, "give either `test`, or both"),
        ({"targets": SETS[:2]}, "give either `test`, or both"),
        ({"test": "WEAT7", "targets": SETS[:2]}, "give either"),
        ({"test": "WEAT7", "targets": SETS[:2], "attributes": SETS[2:]}, "give either"),
        ({"targets": [["a"] * 201, ["b"]], "attributes": SETS[2:]}, "at most 200"),
        ({"targets": [["a"] * 150, ["b"] * 51], "attributes": SETS[2:]}, "more than 20,000,000"),
        ({"test": "WEAT7", "n_permutations": 999}, "n_permutations"),
        ({"test": "WEAT7", "max_missing": 1.5}, "max_missing"),
        ({"test": "WEAT7", "targts": 1}, "targets"),
    ],
)
def test_wrong_questions_are_refused(world: httpx.Client, body: Json, told: str) -> None:
    assert told in problem(world, body, "invalid-request")["detail"]


def test_the_document_has_examples_of_real_words(world: httpx.Client) -> None:
    operation = world.get("/openapi.json").json()["paths"]["/weat"]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    assert examples["shipped"]["value"]["test"] == "WEAT7"
    assert "mother" in examples["own"]["value"]["targets"][1]
