"""Classifiers over HTTP, from the labelled file to predictions, rollback and removal."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.classified import WORDS, as_lines, labelled, sided, submission, train_next, trained
from tests.published import World, random_vectors


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(
        tmp_path_factory.mktemp("world"), registry_poll_seconds=60
    )  # what the endpoints change is seen at once
    world.publish("m", WORDS, sided())
    world.publish("other", WORDS, random_vectors(len(WORDS), 4))
    yield world
    world.close()


@pytest.fixture(scope="module")
def http(world: World) -> Iterator[httpx.Client]:
    """Classifier `side` with versions 1 (mean) and 2 (mean-max-min)."""
    with world.served() as client:
        client.put("/files/rows", content=as_lines(labelled(300)))
        trained(client, world)
        trained(client, world, features="mean-max-min", c=1)
        yield client


def test_a_version_tells_what_it_is_made_of_and_worth(http: httpx.Client) -> None:
    version = http.get("/classifiers/side/versions/1").json()
    assert (version["base"]["model"], version["base"]["version"]) == ("m", 1)
    assert (version["labels"], version["features"], version["file"]["name"]) == (["neg", "pos"], "mean", "rows")
    report = version["report"]
    assert report["n_training"] + report["n_held_out"] == 300 - report["rows"]["n_duplicates"]
    assert report["scores"]["accuracy"] > 0.85
    assert version["accuracy"] == report["scores"]["accuracy"]
    assert report["labels"][1]["telling_words"][0].startswith("good")
    assert {group["group"] for group in report["groups"]} == {"a", "b"}
    assert [point["n_texts"] for point in report["learning_curve"]] == [100, report["n_training"]]
    assert "immutable" in http.get("/classifiers/side/versions/1").headers["Cache-Control"]


def test_texts_are_classified_alone_as_among_others(http: httpx.Client) -> None:
    texts = ["good1 good2", "bad1 bad4 bad2", "nothing known", "", "Good3, bad5! good4 good7"] * 5
    for version in ("latest", 1):
        asked = {"classifier": "side", "version": version, "texts": texts, "explain": True}
        many = http.post("/classify", json=asked).json()
        assert (many["classifier"], many["model"], many["model_version"]) == ("side", "m", 1)
        assert [result["label"] for result in many["results"][:5]] == ["pos", "neg", None, None, "pos"]
        for text, result in zip(texts[:5], many["results"], strict=False):
            (alone,) = http.post("/classify", json=asked | {"texts": [text]}).json()["results"]
            assert alone == result
    assert many["results"][2] == {"label": None, "probabilities": None, "n_known_words": 0, "abstained": True}
    assert many["results"][4]["n_known_words"] == 4
    assert sum(many["results"][1]["probabilities"].values()) == pytest.approx(1, abs=2e-6)
    words = many["results"][1]["words"]
    assert {word["word"] for word in words} == {"bad1", "bad4", "bad2"}


def test_limits_and_unknown_names_have_their_problems(http: httpx.Client) -> None:
    asked = {"classifier": "side", "texts": ["a"]}
    for said, status, told in (
        ({"classifier": "none"}, 404, "There is no classifier 'none'"),
        ({"classifier": "m"}, 404, "There is no classifier 'm'"),
        ({"version": "gone"}, 404, "The classifier 'side' has no alias 'gone'"),
        ({"version": 7}, 404, "has no version 7"),
        ({"texts": []}, 422, "at least 1 item"),
        ({"texts": ["a"] * 10_001}, 422, "at most 10000"),
        ({"texts": ["a" * 100_001]}, 422, "at most 100000"),
        ({"texts": "a"}, 422, "list"),
    ):
        refused = http.post("/classify", json=asked | said)
        assert (refused.status_code, told in refused.text) == (status, True), refused.text
    for path in ("/neighbors?model=side&word=good1", "/models/side", "/models/side/versions/1"):
        refused = http.get(path)
        assert (refused.status_code, refused.json()["title"]) == (404, "Model not found"), path
    assert http.put("/models/side/aliases/x", json={"version": 1}).status_code == 404


def test_models_and_classifiers_share_no_name_and_no_list(http: httpx.Client, world: World) -> None:
    assert [model["name"] for model in http.get("/models").json()["models"]] == ["m", "other"]
    assert [each["name"] for each in http.get("/classifiers").json()["classifiers"]] == ["side"]
    taken = http.post("/jobs", json=submission(name="other"))
    assert (taken.status_code, taken.json()["title"]) == (409, "Name taken")
    http.put("/corpora/c", content=b"a b c\n" * 10)
    training = {"model": "side", "corpus": "c", "algorithm": "word2vec"}
    assert (
        http.post("/jobs", json=training).json()["detail"] == "'side' is the name of a classifier; choose another one."
    )
    waiting = http.post("/jobs", json=submission(name="new")).json()
    assert (waiting["model"], waiting["classifier"]) == ("m", "new")
    assert http.post("/jobs", json=training | {"model": "new"}).json()["job"] == waiting["id"]
    assert http.delete("/files/rows").json()["job"] == waiting["id"]
    http.post(f"/jobs/{waiting['id']}/cancel")


def test_the_beginning_of_the_file_is_read_at_submission(http: httpx.Client) -> None:
    wrong = http.post("/jobs", json=submission(label_field="class"))
    assert wrong.status_code == 422
    assert "'text' and 'class'" in wrong.json()["detail"]
    assert "There are: text, label, from" in wrong.json()["detail"]


def test_aliases_roll_back_and_what_is_stood_on_stays(http: httpx.Client, world: World) -> None:
    def version() -> int:
        told: int = http.post("/classify", json={"classifier": "side", "texts": ["good1"]}).json()["version"]
        return told

    assert version() == 2
    alias = http.get("/classifiers/side/aliases/latest")
    moved = http.put(
        "/classifiers/side/aliases/latest", json={"version": 1}, headers={"If-Match": alias.headers["ETag"]}
    )
    assert (moved.status_code, moved.json()["classifier"], version()) == (200, "side", 1)
    assert http.put("/classifiers/side/aliases/latest", json={"version": 2}).status_code == 428
    history = http.get("/classifiers/side/aliases/latest").json()["history"]
    assert [move["version"] for move in history] == [1, 2, 1]
    assert http.delete("/classifiers/side/versions/1").status_code == 409

    world.publish("m", WORDS, sided(seed=3))
    refused = http.delete("/models/m/versions/1")
    assert (refused.status_code, refused.json()["classifier"]) == (409, "side@2")
    assert http.delete("/models/m").json()["detail"] == "The classifier side@2 stands on 'm'."
    assert http.post("/classify", json={"classifier": "side", "texts": ["good1"]}).json()["model_version"] == 1

    trained(http, world, name="second", publish={"alias": None})
    assert http.get("/classifiers/second").json()["aliases"] == {}
    assert http.post("/classify", json={"classifier": "second", "version": 1, "texts": ["bad1"]}).status_code == 200
    assert http.get("/classifiers/second").json()["loaded"] == [1]
    assert http.delete("/classifiers/second").status_code == 204
    assert http.post("/classify", json={"classifier": "second", "version": 1, "texts": ["a"]}).status_code == 404
    assert http.post("/jobs", json=submission(name="second")).status_code == 202
    assert train_next(world)["version"] == 2, "numbers are never used twice"
