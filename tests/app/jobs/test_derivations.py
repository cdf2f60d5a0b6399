"""Derivations over HTTP: what the steps cannot do is told when the job is submitted. No trainer runs here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.core import catalog
from app.core.catalog import evaluations
from app.core.names import in_one_order
from app.core.records import File, Job
from app.jobs.kinds import derive
from app.jobs.kinds.derive import Derive
from app.jobs.schemas import DeriveSubmission
from tests.published import World, random_vectors

WORDS = [f"w{i}" for i in range(30)]
PAIRS = b"w1 w2 3\nw3 w4 1\nw5 w6 2\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "world")
    for seed in (0, 1):
        world.publish("m", WORDS, random_vectors(30, 4, seed))
    yield world
    world.close()


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    with world.served() as client:
        yield client


def submit(http: httpx.Client, *steps: dict[str, Any], **said: Any) -> httpx.Response:
    return http.post("/jobs", json={"kind": "derive", "model": "m", "steps": steps, **said})


def test_a_derivation_is_queued_and_holds_what_it_reads(http: httpx.Client) -> None:
    http.put("/files/words", content=b"w1\nw2\n")
    steps: list[dict[str, Any]] = [
        {"step": "center"},
        {"step": "prune", "words": "words"},
        {"step": "combine", "with": ["m@1"], "dim": 8},
        {"step": "align", "to": "m"},
    ]
    submitted = submit(http, *steps, version=1, into="better", publish={"alias": None})
    assert submitted.status_code == 202, submitted.text
    job = submitted.json()
    assert (job["kind"], job["model"], job["state"]) == ("derive", "better", "queued")
    assert (job["estimate"]["seconds"], job["estimate"]["memory_bytes"]) == (None, None), "a list says what is left"
    for path in ("/files/words", "/models/m/versions/1", "/models/m"):
        refused = http.delete(path)
        assert (refused.status_code, refused.json()["job"]) == (409, job["id"]), path


@pytest.mark.parametrize(
    ("step", "location", "told"),
    [
        ({"step": "centre"}, "body.steps.0.step", "'center'"),
        ({"step": "center", "weight": "uniform"}, "body.steps.0.weight", "Did you mean 'weights'?"),
        ({"step": "remove_components", "n": 0}, "body.steps.0.n", "greater than or equal to 1"),
        ({"step": "prune"}, "body.steps.0", "prune needs one of"),
        ({"step": "prune", "pattern": "("}, "body.steps.0", "no regular expression"),
        ({"step": "quantise", "to": "binary"}, "body.steps.0", "'binary' finds too few of the nearest words"),
        ({"step": "combine", "with": ["m"], "weights": [1]}, "body.steps.0", "weights are 1 for 2 versions"),
        (
            {"step": "leace", "groups": {"a": ["w1"], "b": "list"}, "pairs": "list"},
            "body.steps.0",
            "groups or pairs, not both",
        ),
    ],
)
def test_a_bad_step_is_named(http: httpx.Client, step: dict[str, Any], location: str, told: str) -> None:
    refused = submit(http, step)
    assert refused.status_code == 422
    (issue,) = refused.json()["errors"]
    assert issue["location"] == location
    assert told in issue["message"]


def test_what_is_neither_a_list_nor_a_file_is_told_with_what_was_meant(http: httpx.Client) -> None:
    for step, location, told in (
        (
            {"step": "hard", "pairs": "he/she"},
            "pairs",
            '\'he/she\' is neither a list of pairs such as [["he", "she"]] nor the name of an uploaded file',
        ),
        ({"step": "leace", "pairs": "?"}, "pairs", '\'?\' is neither a list of pairs such as [["he", "she"]] nor'),
        (
            {"step": "hard", "specific": "a, b"},
            "specific",
            '\'a, b\' is neither a list of words such as ["a", "b"] nor',
        ),
        ({"step": "leace", "groups": {"a": ["w1"], "b": 5}}, "groups.b", "This is a list of words or the name of"),
        ({"step": "hard", "pairs": [["he"]]}, "pairs.0.1", "Field required"),
        ({"step": "hard", "equalize": [["he", ""]]}, "equalize.0.1", "String should have at least 1 character"),
    ):
        (issue,) = submit(http, step).json()["errors"]
        assert (issue["location"], issue["message"][: len(told)]) == (f"body.steps.0.{location}", told)


@pytest.mark.parametrize(
    ("step", "status", "told"),
    [
        ({"step": "reduce", "dim": 5}, 422, "steps.0.dim: there are 4 dimensions, not 5."),
        ({"step": "combine", "with": ["m@1"], "dim": 9}, 422, "steps.0.dim: there are 8 dimensions, not 9."),
        ({"step": "align", "to": "n"}, 404, "There is no model 'n'."),
        ({"step": "align", "to": "m@7"}, 404, "The model 'm' has no version 7."),
        ({"step": "retrofit", "lexicon": "ppdb"}, 404, "There is no file 'ppdb'."),
        ({"step": "leace", "groups": {"a": ["w1"], "b": "lost"}}, 404, "There is no file 'lost'."),
        ({"step": "hard", "pairs": [["w1", "w2"]], "specific": "lost"}, 404, "There is no file 'lost'."),
    ],
)
def test_what_is_not_there_is_named(http: httpx.Client, step: dict[str, Any], status: int, told: str) -> None:
    refused = submit(http, step)
    assert (refused.status_code, refused.json()["detail"]) == (status, told)


def answered(world: World, file: dict[str, Any], **said: Any) -> dict[str, Any]:
    """Keep that version 2 was evaluated with a set; what it had there."""
    result = {
        "file": {name: file[name] for name in ("name", "revision", "sha256", "n_bytes")},
        "convention": "c",
        "n": 3,
        "n_covered": 3,
        "coverage": 1.0,
        "scores": {"spearman": {"value": 0.5, "interval": None}},
        "of_all": 0.5,
    }
    result |= {"type": "similarity", "max_words": 30_000, "k": 10, "metric": "spearman"} | said
    names = ("mean_cosine", "participation_ratio", "isotropy", "hubness_skew", "antihubs", "norm_rank_correlation")
    geometry = {"n_words": 30, "dim": 4, **dict.fromkeys(names, 0.0)}
    found = {"report": {"sets": [result], "geometry": geometry, "seconds": 0.1}, "outcomes": [{"values": [0.1] * 3}]}
    with world.database.transaction() as session:
        version = catalog.get_version(session, "m", 2)
        job_id = session.scalars(select(Job.id)).first()
        assert job_id
        evaluations.add(session, version, job_id, found)
    return result


def test_what_the_parent_was_evaluated_with_is_asked_again(http: httpx.Client, world: World) -> None:
    """As far as its file is there; the policy's own sets are asked once."""
    pairs, gone = (http.put(f"/files/{name}", content=PAIRS * n).json() for name, n in (("pairs", 1), ("gone", 2)))
    answered(world, pairs)
    answered(world, gone)
    newest = answered(world, pairs, k=5)
    assert http.delete("/files/gone").status_code == 204
    http.put("/files/gone", content=PAIRS * 3)
    submitted = submit(http, {"step": "center"}, into="better").json()
    with world.database.reading() as session:
        job = session.get_one(Job, submitted["id"])
        asked = [(each["asked"]["file"], each["asked"]["k"]) for each in job.payload["evaluate"]]
        assert asked == [("pairs@1", 5), ("pairs@1", 10)]
        assert job.payload["before"][0]["scores"] == newest["scores"]
        assert job.file_ids == [session.scalars(select(File.id).where(File.name == "pairs")).one()]
    assert http.delete("/files/pairs").json()["job"] == submitted["id"]
    http.put("/models/m/policy", json={"sets": [{"file": "pairs"}]})
    submitted = submit(http, {"step": "center"}).json()
    with world.database.reading() as session:
        evaluate = session.get_one(Job, submitted["id"]).payload["evaluate"]
    assert [(each["asked"]["type"], each["asked"]["k"]) for each in evaluate] == [("auto", 10), ("similarity", 5)]


def test_quantised_vectors_are_the_last_step_and_are_scanned(http: httpx.Client) -> None:
    steps: list[dict[str, Any]] = [{"step": "quantise"}, {"step": "center"}]
    refused = submit(http, *steps)
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        "steps.0: quantise must be the last step; there are steps after it.",
    )
    refused = submit(http, *steps[::-1], index="graph")
    assert (refused.status_code, "always searched by a scan" in refused.json()["detail"]) == (422, True)
    assert submit(http, *steps[::-1], index="exact").status_code == 202


def test_the_version_may_be_an_alias(http: httpx.Client) -> None:
    assert submit(http, {"step": "center"}, version="latest").status_code == 202
    for version, told in (("staging", "no alias 'staging'"), (9, "no version 9")):
        refused = submit(http, {"step": "center"}, version=version)
        assert (refused.status_code, refused.json()["detail"]) == (404, f"The model 'm' has {told}.")


def test_what_is_held_is_held_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise two submissions that name the same versions could wait for each other for ever."""
    held: list[tuple[str, str]] = []
    monkeypatch.setattr(derive, "version_of", lambda _, model, which, **__: held.append((model, which)))
    monkeypatch.setattr(evaluations, "sets_of", lambda *_: [])
    for model, other in (("a", "b"), ("b", "a")):
        body = {"kind": "derive", "model": model, "version": 1, "steps": [{"step": "align", "to": f"{other}@1"}]}
        Derive().find(None, DeriveSubmission.model_validate(body), hold=True)  # type: ignore[arg-type] # not asked
    assert held == [("a", "1"), ("b", "1")] * 2
    # "-" stands before "@", and nothing before both: what is said behind a name must not decide
    assert in_one_order(["a@2", "a-b", "a-b"]) == ["a@2", "a-b"]
    assert in_one_order(["a-b@1", "a"]) == ["a", "a-b@1"]
