"""What versions were measured by, over HTTP: kept, compared, and obeyed by aliases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.core import catalog
from app.core.catalog import evaluations
from app.core.catalog.sources import file_source, version_source
from app.core.evaluation.residue import AssociationChange, Cost, Debiasing, Residual, ResidualBias, ResidualTest
from app.core.evaluation.sets import EvaluationSet
from app.core.payloads import BiasSource, EvaluatePayload, SetSource
from benchmarks.quality import unit_rows
from tests.published import World, random_vectors
from tests.trainer.work.conftest import context_in
from trainer.work.kinds import evaluate

N = 200
WORDS = [f"w{i}" for i in range(N)]
PAIRS = [(a, b) for a, b in np.random.default_rng(0).integers(N, size=(300, 2)).tolist() if a != b]


def vectors(noise: float, seed: int = 1) -> Any:
    """The vectors that people have in mind, with noise."""
    return random_vectors(N, 8) + np.float32(noise) * random_vectors(N, 8, seed)


def people() -> bytes:
    unit = unit_rows(vectors(0))
    return "".join(f"w{a}\tw{b}\t{unit[a] @ unit[b] * 5 + 5:.4f}\n" for a, b in PAIRS).encode()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Version 1 is good, 2 much worse, 3 as good as the first; `latest` is 1."""
    world = World(tmp_path)
    for noise, seed in ((0.3, 1), (3.0, 2), (0.3, 3)):
        world.publish("m", WORDS, vectors(noise, seed))
    with world.database.transaction() as session:
        catalog.move_alias(session, "m", "latest", 1, expected=3)
    yield world
    world.close()


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    with world.served() as client:
        client.put("/files/people", content=people())
        client.put("/files/must", content=b"w1\nw2\nw3\nwq\n")
        yield client


def judge(world: World, number: int, *sets: dict[str, Any], word_sets: str | None = None) -> None:
    """Evaluate a version as a trainer does."""
    with world.database.reading() as session:
        version = catalog.get_version(session, "m", number)
        source = version_source(version)
        asked = [EvaluationSet.model_validate(each) for each in sets]
        files = [file_source(catalog.files.get(session, each.file)) for each in asked]
        told = [SetSource(asked=each, file=file) for each, file in zip(asked, files, strict=True)]
        named = file_source(catalog.files.get(session, word_sets)) if word_sets else None
        bias = [BiasSource(word_sets=named.name, file=named)] if named else []
    folder = world.folder / f"judge-{number}-{len(list(world.folder.iterdir()))}"
    result = evaluate.run(EvaluatePayload(evaluated=source, sets=(*told, *bias)), context_in(world.storage, folder))
    with world.database.transaction() as session:
        version = catalog.get_version(session, "m", number)
        evaluations.add(session, version, version.job_id, result.evaluation)


def move(http: httpx.Client, version: int, **said: Any) -> httpx.Response:
    return http.put("/models/m/aliases/latest", json={"version": version, **said}, headers={"If-Match": "*"})


def test_an_evaluation_is_listed_with_its_version(http: httpx.Client, world: World) -> None:
    judge(world, 1, {"file": "people"}, {"file": "must"})
    (found,) = http.get("/models/m/versions/1/evaluations").json()["evaluations"]
    similarity, words = found["sets"]
    assert (similarity["type"], similarity["metric"], similarity["coverage"]) == ("similarity", "spearman", 1.0)
    assert 0.8 < similarity["scores"]["spearman"]["interval"]["low"] < similarity["scores"]["spearman"]["value"]
    assert (words["scores"]["share"]["value"], words["missing"]) == (0.75, ["wq"])
    assert found["geometry"]["n_words"] == N
    assert http.get("/models/m/versions/2/evaluations").json() == {"evaluations": []}
    assert http.get("/models/m/versions/9/evaluations").status_code == 404


def test_two_versions_are_compared_by_what_both_answered(http: httpx.Client, world: World) -> None:
    judge(world, 1, {"file": "people"}, {"file": "must"})
    judge(world, 2, {"file": "people"})
    compared = http.get("/models/m/compare", params={"a": "latest", "b": 2}).json()
    assert (compared["a"], compared["b"], compared["only_a"], compared["only_b"]) == (1, 2, ["must"], [])
    (people,) = compared["sets"]
    assert people["difference"] == pytest.approx(people["b"] - people["a"])
    assert people["interval"]["high"] < 0
    assert people["n_common"] == len(PAIRS)
    assert compared["geometry_b"]["dim"] == 8
    assert http.get("/models/m/compare", params={"a": 1, "b": 8}).status_code == 404
    assert http.get("/models/m/compare", params={"a": 1, "b": 3}).json()["sets"] == []


def test_a_worse_version_is_held_back_with_the_evidence_unless_somebody_says_why(
    http: httpx.Client, world: World
) -> None:
    policy = http.put("/models/m/policy", json={"sets": [{"file": "people", "max_drop": 0.05}]})
    assert policy.status_code == 200, policy.text
    assert policy.json()["sets"][0]["file"] == "people@1"
    for number in (1, 2, 3):
        judge(world, number, {"file": "people"})
    refused = move(http, 2)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/gate-failed")
    (evidence,) = refused.json()["evidence"]
    assert (evidence["rule"], evidence["limit"], evidence["present_version"]) == ("max_drop", 0.05, 1)
    assert evidence["difference"]["high"] < -0.05
    assert evidence["value"] < evidence["present"]
    assert "falls from" in evidence["told"]
    assert http.get("/models/m/aliases/latest").json()["version"] == 1
    assert move(http, 3).status_code == 200, "as good as the first"
    assert move(http, 2, override="a trial, told to everybody").status_code == 200
    newest = http.get("/models/m/aliases/latest").json()["history"][:2]
    assert [entry["override"] for entry in newest] == ["a trial, told to everybody", None]
    assert move(http, 3, override="not needed").json()["version"] == 3
    assert http.get("/models/m/aliases/latest").json()["history"][0]["override"] is None, "it passed"


def test_floors_coverage_words_and_hubs(http: httpx.Client, world: World) -> None:
    sets = [{"file": "must", "floor": 0.9}, {"file": "people", "floor": 0.7, "min_coverage": 1.0}]
    http.put("/models/m/policy", json={"sets": sets, "max_hubness_ratio": 0.01})
    for number in (1, 2, 3):
        judge(world, number, {"file": "people"}, {"file": "must"})
    told = [(each["rule"], each.get("file")) for each in move(http, 2).json()["evidence"]]
    assert told[:2] == [("floor", "must@1"), ("floor", "people@1")]
    assert told[2:] == [("max_hubness_ratio", None)]
    http.put("/models/m/policy", json={"sets": sets[1:]})
    assert move(http, 3).status_code == 200


def test_a_named_test_of_bias_is_bounded_either_way(http: httpx.Client, world: World) -> None:
    sets = {"x": WORDS[:8], "y": WORDS[8:16], "a": WORDS[16:20], "b": WORDS[20:24], "few": WORDS[:2]}
    tests = {
        "T": {"targets": ["x", "y"], "attributes": ["a", "b"]},
        "S": {"targets": ["few", "y"], "attributes": ["a", "b"]},
    }
    http.put("/files/own", content=json.dumps({"name": "own", "sets": sets, "tests": tests}).encode())

    def bound(test: str, most: float) -> Any:
        bias = [{"test": test, "word_sets": "own", "max_effect_size": most}]
        policy = http.put("/models/m/policy", json={"sets": [], "bias": bias})
        assert policy.json()["bias"][0]["word_sets"] == "own@1"
        return move(http, 3).json()

    assert "has not been measured with own@1" in bound("T", 2)["detail"]
    judge(world, 3, word_sets="own")
    (report,) = http.get("/models/m/versions/3/evaluations").json()["evaluations"][0]["bias"]
    effect = report["tests"][0]["effect_size"]
    assert abs(effect) > 0.01
    (evidence,) = bound("T", abs(effect) - 0.01)["evidence"]
    assert (evidence["rule"], evidence["metric"]) == ("max_effect_size", "T_effect_size_n-1")
    assert evidence["value"] == effect
    assert "2 and 8 words with vectors" in bound("S", 2)["detail"]
    assert "own@1 has no such test" in bound("WEAT7", 2)["detail"]
    assert bound("T", abs(effect) + 0.01)["version"] == 3
    card = http.get("/models/m/versions/latest/card").text
    heading = "| test | effect size | 95 % | over seeds | p | p by Holm |\n|---|---|---|---|---|---|"
    assert f"## Bias\n\nown@1 (1 tests skipped):\n\n{heading}\n| T | {effect:+.4f} |" in card
    judge(world, 2, word_sets="own")
    (compared,) = http.get("/models/m/compare", params={"a": 2, "b": 3}).json()["bias"]
    (before,) = http.get("/models/m/versions/2/evaluations").json()["evaluations"][0]["bias"][0]["tests"]
    assert (compared["test"], compared["a"], compared["b"]) == ("T", before["effect_size"], effect)
    assert compared["flips"] == (before["effect_size"] * effect < 0)
    assert (compared["p_a"], compared["p_b"]) == (before["p_value"], report["tests"][0]["p_value"])
    wrong = {"sets": [], "bias": [{"test": "T", "word_sets": "must", "max_effect_size": 1}]}
    assert http.put("/models/m/policy", json=wrong).json()["type"] == "/problems/evaluation-set-unreadable"


def debias(world: World, number: int) -> None:
    """Let a version have been made by steps that left this of a bias."""
    given: dict[ResidualTest, tuple[float, float | None]] = {
        "rbf_probe": (0.99, 0.62),
        "all_neighbors": (0.7, -0.4),
        "clusters": (0.9, None),
    }
    tests = [
        Residual(
            test=test, reader="", metric="pearson" if test == "all_neighbors" else "accuracy", n=400, before=b, after=a
        )
        for test, (b, a) in given.items()
    ]
    left = ResidualBias(direction="she - he", n_words=900, tests=tests)
    flip = AssociationChange(test="WEAT7", about="", before=0.97, after=-1.14, p_before=0.02, p_after=0.9)
    cost = Cost(steps=[{"step": "hard", "mean_cosine": 0.99}], overlap={}, scores=[])
    found = Debiasing.of([left], [flip], cost)
    with world.database.transaction() as session:
        version = catalog.get_version(session, "m", number)
        (row,) = evaluations.of_version(session, version)
        report = row.report | {"debiasing": found.model_dump(mode="json")}
        evaluations.add(session, version, version.job_id, {"report": report, "outcomes": []})


def test_what_is_left_of_a_bias_is_bounded(http: httpx.Client, world: World) -> None:
    def bound(test: str, most: float) -> Any:
        residue = [{"test": test, "max_found": most}]
        assert http.put("/models/m/policy", json={"sets": [], "residue": residue}).json()["residue"] == residue
        return move(http, 3).json()

    assert "Version 3 was not made by steps against a bias" in bound("rbf_probe", 1)["detail"]
    judge(world, 3)
    assert "was not made by steps" in bound("rbf_probe", 1)["detail"]
    debias(world, 3)
    judge(world, 3)
    (evidence,) = bound("rbf_probe", 0.6)["evidence"]
    told = (evidence["rule"], evidence["metric"], evidence["limit"], evidence["value"])
    assert told == ("max_found", "rbf_probe_accuracy", 0.6, 0.62)
    assert "she - he: rbf_probe still finds 0.6200, not 0.6 or less." in evidence["told"]
    assert bound("all_neighbors", 0.39)["evidence"][0]["value"] == -0.4
    assert "clusters could not be asked" in bound("clusters", 1)["detail"]
    assert "linear_probe could not be asked" in bound("linear_probe", 1)["detail"]
    assert bound("all_neighbors", 0.4)["version"] == 3
    card = http.get("/models/m/versions/3/card").text
    section = card.partition("## Steps against a bias\n\n")[2].partition("\n\n## ")[0]
    assert section.startswith("she - he: clusters show it with accuracy 0.62, before 0.99;")
    assert "The bias has changed its sign in WEAT7 (0.97, now -1.14).\n\nMade from " in section
    assert " by hard (mean cosine 0.9900).\n\n| direction | reader |" in section
    assert "| she - he | rbf\\_probe | accuracy | 0.9900 | 0.6200 |\n" in section
    assert "| she - he | clusters | accuracy | 0.9000 | too few words |" in section
    assert "| WEAT7 | 0.9700 | -1.1400 | flips |" in section
    assert "## Steps against a bias\n\nNone.\n" in http.get("/models/m/versions/1/card").text


def test_what_was_not_evaluated_does_not_pass(http: httpx.Client, world: World) -> None:
    http.put("/models/m/policy", json={"sets": [{"file": "people", "max_drop": 0.05}]})
    assert "Version 3 has not been evaluated with people@1" in move(http, 3).json()["detail"]
    judge(world, 3, {"file": "people"})
    assert "Version 1, which the alias names, has not" in move(http, 3).json()["detail"]
    judge(world, 1, {"file": "people"})
    assert move(http, 3).status_code == 200
    http.put("/files/people", content=people() + b"w1 w2 3\n")
    http.put("/models/m/policy", json={"sets": [{"file": "people", "max_drop": 0.05}]})
    assert "has not been evaluated with people@2" in move(http, 1).json()["detail"], "other questions"
    assert http.put("/models/m/aliases/new", json={"version": 2}).status_code == 409


def test_a_policy_holds_its_files_and_can_be_taken_away(http: httpx.Client, world: World) -> None:
    assert http.get("/models/m/policy").json() == {"sets": [], "bias": [], "residue": [], "max_hubness_ratio": None}
    http.put("/models/m/policy", json={"sets": [{"file": "people", "floor": 1.0}]})
    assert http.get("/models/m/policy").json()["sets"][0]["floor"] == 1.0
    held = http.delete("/files/people")
    assert (held.status_code, held.json()["model"]) == (409, "m")
    assert move(http, 3).status_code == 409
    assert http.delete("/models/m/policy").status_code == 204
    assert move(http, 3).status_code == 200
    assert http.delete("/files/people").status_code == 204


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ({"sets": [{"file": "gone"}]}, 404),
        ({"sets": [{"file": "must", "type": "analogy"}]}, 422),
        ({"sets": [{"file": "people", "floor": 2}]}, 422),
        ({"sets": [{"file": "people", "floor": True}]}, 422),
        ({"floors": 1}, 422),
    ],
)
def test_a_policy_that_cannot_be_is_refused(http: httpx.Client, policy: dict[str, Any], status: int) -> None:
    assert http.put("/models/m/policy", json=policy).status_code == status
    assert http.put("/models/none/policy", json={"sets": []}).status_code == 404


def test_evaluations_go_with_their_version(http: httpx.Client, world: World) -> None:
    judge(world, 2, {"file": "people"})
    assert http.delete("/models/m/versions/2").status_code == 204
    with world.database.reading() as session:
        assert evaluations.evaluated(session, "m", 2).reports == []
