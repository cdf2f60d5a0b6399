"""Evaluations over HTTP: what cannot be read is told when the job is submitted. No trainer runs here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import select

from app.core.records import File, Job
from app.jobs.schemas import EvaluateSubmission
from tests.published import World, random_vectors

WORDS = [f"w{i}" for i in range(30)]
WORD_SETS = b'{"name": "own", "sets": {"x": ["w1"]}, "directions": {"d": {"pairs": [["w1", "w2"]], "words": ["x"]}}}'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "world")
    world.publish("m", WORDS, random_vectors(30, 4))
    yield world
    world.close()


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    with world.served() as client:
        client.put("/files/pairs", content=b"w1 w2 3\nw3 w4 1\nw5 w6 2\n")
        client.put("/files/bad", content=b": s\nw1 w2 w3 w4\nw1 w2\n")
        client.put("/files/words", content=WORD_SETS)
        client.put("/corpora/c", content=b"w1 w2 w3\n" * 10)
        yield client


def submit(http: httpx.Client, *sets: dict[str, Any], **said: Any) -> httpx.Response:
    return http.post("/jobs", json={"kind": "evaluate", "model": "m", "sets": sets, **said})


def test_an_evaluation_is_queued_and_holds_what_it_reads(http: httpx.Client) -> None:
    submitted = submit(http, {"file": "pairs"}, version=1)
    assert submitted.status_code == 202, submitted.text
    job = submitted.json()
    assert (job["kind"], job["model"], job["state"]) == ("evaluate", "m", "queued")
    for path in ("/files/pairs", "/models/m"):
        refused = http.delete(path)
        assert (refused.status_code, refused.json()["job"]) == (409, job["id"]), path
    assert http.post("/jobs", json={"kind": "evaluate", "model": "m"}).status_code == 202, "its geometry alone"


def test_the_suite_reads_shipped_word_sets_and_uploaded_ones(http: httpx.Client, world: World) -> None:
    said = {"suite": "bias", "word_sets": ["weat", "words"], "options": {"seed": 4}}
    job = submit(http, {"file": "pairs"}, **said)
    assert job.status_code == 202, job.text
    assert http.delete("/files/words").json()["job"] == job.json()["id"]
    assert submit(http, suite="bias").status_code == 202
    with world.database.reading() as session:
        first, second = (
            job.payload["sets"] for job in session.scalars(select(Job).where(Job.kind == "evaluate").order_by(Job.id))
        )
    assert [each.get("word_sets") for each in first] == [None, "weat", "words"]
    assert [each["file"] and each["file"]["name"] for each in first] == ["pairs", None, "words"]
    assert first[1]["options"]["seed"] == 4
    assert [each["word_sets"] for each in second] == ["weat", "weat-ko"]
    refused = submit(http, suite="bias", word_sets=["pairs"])
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/evaluation-set-unreadable")
    assert submit(http, suite="bias", word_sets=["weat", "gone"]).status_code == 404


def test_word_sets_are_those_of_a_suite() -> None:
    asked = {"kind": "evaluate", "model": "m"}
    assert EvaluateSubmission.model_validate(asked).suite is None
    with pytest.raises(ValidationError, match="word_sets and options are those of a suite"):
        EvaluateSubmission.model_validate(asked | {"word_sets": ["words"]})
    with pytest.raises(ValidationError, match="max_missing"):
        EvaluateSubmission.model_validate(asked | {"suite": "bias", "options": {"max_missing": 2}})


@pytest.mark.parametrize(
    ("sets", "said", "status", "told"),
    [
        ([{"file": "bad"}], {}, 422, "bad looks like no set of questions"),
        ([{"file": "bad", "type": "analogy"}], {}, 422, "bad, line 3: there are 2 words, not 4"),
        ([{"file": "gone"}], {}, 404, "no file 'gone'"),
        ([{"file": "pairs", "type": "similarities"}], {}, 422, "Input should be 'auto', 'similarity'"),
        ([{"file": "pairs", "max_words": True}], {}, 422, "true and false are no numbers"),
        ([{"file": "pairs"}], {"version": 7}, 404, "no version 7"),
        ([{"file": "pairs"}], {"publish": {"alias": None}}, 422, "publish"),
    ],
)
def test_what_cannot_be_is_told(
    http: httpx.Client, sets: list[dict[str, Any]], said: dict[str, Any], status: int, told: str
) -> None:
    refused = submit(http, *sets, **said)
    assert refused.status_code == status
    assert told in refused.text


def test_what_is_published_is_evaluated_with_the_policys_sets(http: httpx.Client, world: World) -> None:
    """Sets are those of the moment of submission, and stay until the job has ended."""
    http.put("/models/m/policy", json={"sets": [{"file": "pairs", "floor": 0.5}]})
    training = {"model": "m", "corpus": "c", "algorithm": "word2vec"}
    job = http.post("/jobs", json=training)
    assert job.status_code == 202, job.text
    http.put("/files/pairs", content=b"w1 w2 3\n")
    http.delete("/models/m/policy")
    assert http.delete("/files/pairs").json()["job"] == job.json()["id"]
    with world.database.reading() as session:
        row = session.scalars(select(Job).where(Job.id == job.json()["id"])).one()
        (asked,) = row.payload["evaluate"]
        assert (asked["file"]["revision"], asked["asked"]["file"]) == (1, "pairs@1")
        assert row.file_ids == [session.scalars(select(File.id).where(File.key == asked["file"]["key"])).one()]
    assert "evaluate" not in http.post("/jobs", json=training | {"model": "other"}).json()
