"""What people come for, step by step, against one service: small corpora, real trainings.

What other tests walk already is not repeated: clients of OpenAI and generated ones (tests/app/models, tests/app/web),
the operator's starts and failures (tests/app/command/test_processes.py, test_shutdown.py), the README's commands.
"""

from __future__ import annotations

import json
import lzma
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gensim.models import KeyedVectors
from model2vec import StaticModel

from app.command.processes import running
from app.core.settings import Settings
from benchmarks import quality
from benchmarks.quality import analogies
from tests.conftest import DATA
from tests.e2e.conftest import Json, finished, job_in_state, wait_for

SEATS, COMPUTERS = ("couch", "sofa", "settee", "armchair"), ("laptop", "notebook", "gaming", "usb-c")
QUESTIONS = Path(quality.__file__).parent / "evaluation" / "questions-words.txt"
KEPT = {"keep_tokens": ["usb-c"]}
MEN, WOMEN = "he him his man boy brother father son", "she her hers woman girl sister mother daughter"
WORK, HOME = (
    ["office", "salary", "business", "manager", "career", "job"],
    ["home", "children", "kitchen", "wedding", "family", "house"],
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """One service for all paths."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("paths"), port=0)
    with running(settings) as service, httpx.Client(base_url=service.url, timeout=60) as client:
        yield client


def trained(http: httpx.Client, model: str, algorithm: str = "word2vec", **said: Any) -> Json:
    """A version that is served; the job."""
    chosen = {"dim": 16, "min_count": 1, "epochs": 8} | said.pop("hyperparameters", {})
    body = {"model": model, "corpus": model, "algorithm": algorithm, "hyperparameters": chosen} | said
    submitted = http.post("/jobs", json=body)
    assert submitted.status_code == 202, submitted.text
    job = job_in_state(http, submitted.json()["id"], "succeeded", "failed")
    assert job["state"] == "succeeded", job
    query = {"model": model, "version": job["version"], "k": 1}
    wait_for(lambda: http.get("/words", params=query).is_success, 30, "the version to be served")
    return job


def near(http: httpx.Client, **query: Any) -> list[str]:
    answer = http.get("/neighbors", params=query)
    assert answer.status_code == 200, answer.text
    return [item["word"] for item in answer.json()["neighbors"]]


def titles(n: int) -> list[str]:
    rng = random.Random(0)
    return [" ".join(rng.sample(SEATS if i % 2 else COMPUTERS, 3)) for i in range(n)]


def test_a_search_engineer_expands_queries_over_product_titles(shop: httpx.Client) -> None:
    rows = [json.dumps({"id": i, "product": {"title": title}}) for i, title in enumerate(titles(600))]
    rows[5], rows[7] = '{"id": 5}', "{broken"
    assert shop.put("/corpora/titles", content="\n".join(rows).encode()).status_code == 201
    body: Json = {"model": "titles", "corpus": "titles", "algorithm": "word2vec"}
    wrong = shop.post("/jobs", json=body | {"text": {"format": {"kind": "jsonl", "field": "title"}}}).json()
    assert wrong["names"] == ["id", "product", "product.title"]
    text = {"format": {"kind": "jsonl", "field": "product.title"}} | KEPT
    preview = {"format": "jsonl", "field": "product.title"}
    assert shop.get("/corpora/titles/preview", params=preview).json()["n_bad_rows"] == 2
    trained(shop, "titles", text=text)
    assert near(shop, model="titles", word="sofa", k=3)[0] in SEATS
    answer = shop.get("/neighbors", params={"model": "titles", "text": "gaming laptop xyzzy", "k": 3}).json()
    assert answer["missing"] == ["xyzzy"]
    assert not {"gaming", "laptop"} & {item["word"] for item in answer["neighbors"]}
    assert "laptop" in near(shop, model="titles", word="USB-C", k=4)
    assert near(shop, model="titles", word="sofa", k=10, prefix="s") == ["settee"]
    best = shop.get("/neighbors", params={"model": "titles", "word": "sofa", "k": 7}).json()["neighbors"]
    assert near(shop, model="titles", word="sofa", k=7, min_score=best[1]["score"]) == [b["word"] for b in best[:2]]
    assert shop.get("/models/titles/versions/1").json()["training"]["rows"]["n_bad_rows"] == 2


def test_a_korean_engineer_writes_as_koreans_do(shop: httpx.Client) -> None:
    reviews = lzma.decompress((DATA / "corpora" / "nsmc-reviews.txt.xz").read_bytes()).decode(errors="ignore")
    stored = shop.put("/corpora/리뷰", params={"encoding": "cp949"}, content=reviews.encode("cp949", errors="ignore"))
    assert (stored.status_code, stored.json()["name"]) == (201, "리뷰")
    trained(shop, "리뷰", hyperparameters={"min_count": 2, "epochs": 2})
    decomposed = "\u110b\u1167\u11bc\u1112\u116a"
    answer = shop.get("/neighbors", params={"model": "리뷰", "word": decomposed, "k": 5}).json()
    assert (answer["word"], len(answer["neighbors"])) == ("영화", 5)
    assert shop.get("/words", params={"model": "리뷰", "prefix": "ㅋㅋ"}).json()["words"][0]["word"].startswith("ㅋㅋ")
    missing = shop.get("/neighbors", params={"model": "리뷰", "word": "영화아"})
    assert (missing.status_code, missing.json()["missing"]) == (404, ["영화아"])
    assert "영화가" in missing.json()["suggestions"]["영화아"]


def test_a_data_scientist_brings_vectors_and_gensims_names(shop: httpx.Client) -> None:
    body: Json = {"model": "m", "corpus": "titles", "algorithm": "word2vec"}
    wrong = shop.post("/jobs", json=body | {"hyperparameters": {"vector_size": 50, "sg": 1}}).json()
    told = {issue["location"].rpartition(".")[2]: issue["message"] for issue in wrong["errors"]}
    assert "Did you mean 'dim'?" in told["vector_size"]
    assert "Did you mean 'architecture'?" in told["sg"]
    shop.put("/files/mine.vec", content=b"4 2\nking 1 0\nqueen 0.9 0.1\ncat 0 1\ndog 0.1 0.9\n")
    job = shop.post("/jobs", json={"kind": "import", "model": "mine", "file": "mine.vec"}).json()
    assert job_in_state(shop, job["id"], "succeeded", "failed")["version"] == 1
    wait_for(lambda: shop.get("/words", params={"model": "mine"}).is_success, 30, "the import")
    assert near(shop, model="mine", word="king", k=1) == ["queen"]
    texts = [word for word in ("king", "cat") for _ in range(150)]
    answer = shop.post("/v1/embeddings", json={"model": "mine", "input": texts}).json()
    assert (len(answer["data"]), answer["data"][0]["embedding"]) == (300, pytest.approx([1, 0], abs=1e-6))
    assert shop.get("/vector", params={"model": "mine", "word": "queen"}).json()["rank"] == 2


def test_a_backend_developer_retrains_every_night(shop: httpx.Client) -> None:
    first = shop.put("/corpora/nightly", content="\n".join(titles(300)).encode())
    trained(shop, "nightly", text=KEPT)
    new = "\n".join(titles(400)).encode()
    stale = {"If-Match": '"somebody else"'}
    assert shop.put("/corpora/nightly", content=new, headers=stale).status_code == 412
    second = shop.put("/corpora/nightly", content=new, headers={"If-Match": first.headers["ETag"]})
    assert second.json()["revision"] == 2
    job = trained(shop, "nightly", corpus="nightly@2", publish={"alias": "staging"}, text=KEPT)
    assert (job["version"], job["corpus_revision"]) == (2, 2)
    aliases = shop.get("/models/nightly").json()["aliases"]
    assert aliases == {"latest": 1, "staging": 2}
    refused = shop.delete("/models/nightly/versions/1")
    assert (refused.status_code, refused.json()["aliases"]) == (409, ["latest"])
    etag = shop.get("/models/nightly/aliases/latest").headers["ETag"]
    assert shop.put("/models/nightly/aliases/latest", json={"version": 2}, headers={"If-Match": etag}).is_success
    assert shop.delete("/models/nightly/versions/1").status_code == 204
    assert shop.delete("/corpora/nightly/revisions/1").status_code == 204
    assert shop.get("/models/nightly/versions/2").json()["corpus"]["revision"] == 2


def test_an_operator_sees_the_queue_the_sizes_and_the_state(shop: httpx.Client) -> None:
    shop.put("/corpora/watched", content="\n".join(titles(300)).encode())
    trained(shop, "watched", text=KEPT)
    metrics = shop.get("/metrics").text
    for told in ('wordkin_jobs{kind="train",', "wordkin_oldest_queued_job_seconds", "wordkin_storage_free_bytes"):
        assert told in metrics
    assert 'wordkin_version_bytes{model="watched"}' in metrics
    assert "wordkin_build_info{" in metrics
    ready = shop.get("/readyz").json()
    assert (ready["status"], ready["degraded"]) == ("ready", {})


@pytest.mark.parametrize(("algorithm", "chosen"), [("word2vec", {"subsampling_threshold": 0}), ("glove", {})])
def test_a_teacher_shows_each_idea_at_work(shop: httpx.Client, algorithm: str, chosen: Json) -> None:
    model = f"lesson-{algorithm}"
    shop.put(f"/corpora/{model}", content="\n".join(titles(500)).encode())
    job = trained(shop, model, algorithm, text=KEPT, hyperparameters={"epochs": 20, "threads": 1} | chosen)
    epochs = shop.get(f"/jobs/{job['id']}/history").json()["epochs"]
    assert [epoch["epoch"] for epoch in epochs] == list(range(1, 21))
    assert epochs[-1]["loss"] < epochs[0]["loss"]
    assert shop.get(f"/models/{model}/versions/1").json()["history"] == epochs
    odd = {"model": model, "word": ["sofa", "couch", "settee", "laptop"]}
    if algorithm == "word2vec":
        assert shop.get("/odd-one-out", params=odd).json()["odd"] == "laptop"
    for method in ("add", "mul"):
        analogy = {"model": model, "a": "sofa", "b": "couch", "c": "laptop", "method": method}
        assert shop.get("/analogy", params=analogy).json()["answers"]


@pytest.mark.parametrize(
    ("algorithm", "chosen"),
    [
        ("word2vec", {"preset": "item2vec", "dim": 16, "epochs": 20}),
        ("glove", {"window": 100, "distance_weighting": "equal", "epochs": 30}),
    ],
)
def test_a_recommender_engineer_trains_on_baskets(shop: httpx.Client, algorithm: str, chosen: Json) -> None:
    rng = random.Random(1)
    drinks, breakfast = ("bottled beer", "canned beer", "red wine", "soda"), ("whole milk", "butter", "rolls", "jam")
    baskets = [",".join(rng.sample(drinks if i % 2 else breakfast, 3)) for i in range(600)]
    baskets += [",".join(rng.sample(drinks + breakfast, 2)) for _ in range(60)]
    model = f"baskets-{algorithm}"
    shop.put(f"/corpora/{model}", content="\n".join(baskets).encode())
    text = {"format": {"kind": "tokens", "separator": ","}}
    trained(shop, model, algorithm, text=text, hyperparameters=chosen)
    assert set(near(shop, model=model, word="Bottled Beer", k=3)) == set(drinks) - {"bottled beer"}
    basket = {"model": model, "queries": [{"words": {"whole milk": 1, "butter": 1}, "k": 2}, {"word": "caviar"}]}
    answers = shop.post("/neighbors", json=basket).json()["results"]
    assert {item["word"] for item in answers[0]["neighbors"]} == {"rolls", "jam"}
    assert answers[1]["error"]["missing"] == ["caviar"]


def test_a_model_owner_holds_bad_versions_back(shop: httpx.Client, tmp_path: Path) -> None:
    """Real vectors of GloVe come in, are measured, improved, gated, taken out again, and rolled back."""
    glove = lzma.decompress((DATA / "vectors" / "glove.6B.50d.sample.txt.xz").read_bytes())
    shop.put("/files/glove.txt", content=glove)
    family = QUESTIONS.read_text().partition(": family")[2].partition("\n:")[0]
    shop.put("/files/family", content=f": family{family}\n".encode())
    rows = [line.split(" ") for line in glove.decode().splitlines()]
    (tmp_path / "family").write_text(family)
    expected = analogies([row[0] for row in rows], np.array([row[1:] for row in rows], np.float32), tmp_path / "family")
    told = {"kind": "import", "file": "glove.txt", "model": "owned"}
    finished(shop, told)
    evaluated = finished(shop, {"kind": "evaluate", "model": "owned", "sets": [{"file": "family"}]})
    assert evaluated["version"] is None
    (score,) = evaluated["result"]["scores"]
    assert (score["n_covered"], score["n"]) == (expected.covered, expected.total)
    assert score["value"] == pytest.approx(expected.value, abs=0.0005)
    policy = {"sets": [{"file": "family", "floor": 0.5, "max_drop": 0.1}]}
    assert shop.put("/models/owned/policy", json=policy).status_code == 200
    good = finished(shop, {"kind": "derive", "model": "owned", "steps": [{"step": "center"}]})
    assert "held_back" not in good["result"]
    assert good["result"]["scores"][0]["n_covered"] == expected.covered
    small = {"kind": "derive", "model": "owned", "steps": [{"step": "quantise"}], "publish": {"alias": None}}
    small["version"] = finished(shop, small)["version"]
    wait_for(lambda: shop.get("/words", params={"model": "owned", "version": 3}).is_success, 30, "the small one")
    whole, quantised = (shop.get(f"/models/owned/versions/{number}").json() for number in (2, 3))
    assert whole["n_bytes"] - quantised["n_bytes"] > 2.9 * 50 * len(rows)
    assert quantised["steps"][0]["found"]["recall_at_10"] >= 0.985
    for asked in ({"word": "king"}, {"word": "king", "metric": "csls"}, {"text": "king of spain"}):
        same = [set(near(shop, model="owned", version=number, k=10, **asked)) for number in (2, 3)]
        assert len(same[0] & same[1]) >= 8, asked
    bad = finished(shop, {"kind": "derive", "model": "owned", "steps": [{"step": "reduce", "dim": 1}]})
    assert bad["result"]["held_back"][0]["rule"] == "floor"
    assert shop.get("/models/owned/aliases/latest").json()["version"] == good["version"] == 2
    compared = shop.get("/models/owned/compare", params={"a": 1, "b": bad["version"]}).json()["sets"][0]
    assert compared["interval"]["high"] < 0
    refused = shop.put("/models/owned/aliases/latest", json={"version": bad["version"]}, headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["evidence"][0]["file"]) == (409, "family@1")
    back = shop.put("/models/owned/aliases/latest", json={"version": 1}, headers={"If-Match": "*"})
    assert (back.status_code, back.json()["version"]) == (200, 1)

    both = {"kind": "derive", "model": "owned", "into": "both", "steps": [{"step": "combine", "with": ["owned@2"]}]}
    assert finished(shop, both)["version"] == 1
    wait_for(lambda: shop.get("/words", params={"model": "both"}).is_success, 30, "the combined one")
    taken = "/models/both/versions/1/export"
    (tmp_path / "both.bin").write_bytes(shop.get(taken, params={"format": "word2vec-binary"}).content)
    vectors = KeyedVectors.load_word2vec_format(str(tmp_path / "both.bin"), binary=True)
    assert vectors.vector_size == 100
    assert [word for word, _ in vectors.most_similar("king", topn=5)] == near(shop, model="both", word="king", k=5)
    (tmp_path / "both.tar").write_bytes(shop.get(taken, params={"format": "model2vec"}).content)
    shutil.unpack_archive(tmp_path / "both.tar", tmp_path / "both")
    (static,) = {path.parent for path in (tmp_path / "both").rglob("config.json")}
    king = StaticModel.from_pretrained(static).encode("king")
    assert king / np.linalg.norm(king) == pytest.approx(vectors.get_vector("king", norm=True), abs=1e-3)


def test_a_team_measures_a_bias_reduces_it_and_puts_vectors_to_work(shop: httpx.Client) -> None:
    """A report of bias, a version without that direction behind a gate, a classifier, a version that goes on."""
    men, women = MEN.split(), WOMEN.split()
    rng = random.Random(3)
    sides = ((men, WORK), (women, HOME))
    lines = [" ".join(rng.sample(people, 2) + rng.sample(things, 2)) for people, things in sides * 500]
    shop.put("/corpora/lives", content="\n".join(lines).encode())
    trained(shop, "lives", continuable=True)
    sets = {"targets": [men, women], "attributes": [WORK, HOME]}
    told = shop.post("/weat", json={"model": "lives", **sets}).json()
    assert (told["n_partitions"], told["missing"]) == (12_870, [])
    assert told["effect_size"] > 1
    assert told["p_value"] < 0.01

    own = {"name": "own", "sets": {"m": men, "w": women, "a": WORK, "b": HOME}}
    own["tests"] = {"LIVES": {"targets": ["m", "w"], "attributes": ["a", "b"]}}
    shop.put("/files/own", content=json.dumps(own).encode())
    finished(shop, {"kind": "evaluate", "model": "lives", "suite": "bias", "word_sets": ["own"]})
    (report,) = shop.get("/models/lives/versions/1/evaluations").json()["evaluations"][0]["bias"]
    assert report["tests"][0]["effect_size"] == pytest.approx(told["effect_size"])
    bound = {"test": "LIVES", "word_sets": "own", "max_effect_size": 0}
    assert shop.put("/models/lives/policy", json={"sets": [], "bias": [bound]}).status_code == 200
    hard = {"step": "hard", "pairs": list(zip(men, women, strict=True)), "equalize": []}
    derived = finished(shop, {"kind": "derive", "model": "lives", "steps": [hard]})
    assert derived["result"]["held_back"][0]["rule"] == "max_effect_size"
    shop.put("/models/lives/policy", json={"sets": [], "bias": [bound | {"max_effect_size": 2}]})
    moved = shop.put("/models/lives/aliases/latest", json={"version": 2}, headers={"If-Match": "*"})
    assert moved.json()["version"] == 2
    assert "## Bias\n\nown@1" in shop.get("/models/lives/versions/2/card").text

    labelled = [json.dumps({"text": line, "label": "work" if i % 2 == 0 else "home"}) for i, line in enumerate(lines)]
    shop.put("/files/labelled", content="\n".join(labelled).encode())
    job = {"kind": "classifier", "name": "topic", "model": "lives", "version": "1", "file": "labelled"}
    job |= {"text_field": "text", "label_field": "label"}
    assert finished(shop, job)["result"]["scores"]["accuracy"] == 1
    asked = {"classifier": "topic", "texts": ["salary and office", "xyzzy"]}
    answers = wait_for(lambda: (r := shop.post("/classify", json=asked)).is_success and r.json(), 30, "the classifier")
    assert [(each["label"], each["abstained"]) for each in answers["results"]] == [("work", False), (None, True)]
    assert shop.delete("/models/lives/versions/1").status_code == 409

    shop.put("/corpora/more", content="\n".join(f"{line} today" for line in lines[:60]).encode())
    start: Json = {"start": {"model": "lives", "version": 1, "freeze": "parent"}, "corpus": "more"}
    assert trained(shop, "lives", **start)["version"] == 3
    same = [shop.get("/vector", params={"model": "lives", "version": n, "word": "salary"}).json() for n in (1, 3)]
    assert same[0]["vector"] == same[1]["vector"]
    assert shop.get("/vector", params={"model": "lives", "version": 3, "word": "today"}).is_success
