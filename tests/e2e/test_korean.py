"""Korean words that the corpus lacks, with particles and misspelt, in every question: of n-grams and of pieces."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import wait_for

pytestmark = pytest.mark.parametrize("shared_service", ["sqlite"], indirect=True)
"""What is asked here is read from tables."""
REVIEWS = Path(__file__).resolve().parents[1] / "data" / "corpora" / "nsmc-reviews.txt.xz"
MEANT = {"재밌었다", "재밌다", "재미있었다"}
LACKING, WRONG, KNOWN = "스토리가요", "재밋었다", "영화"
CHOSEN = {"dim": 100, "min_count": 2, "epochs": 25}
TRAININGS: dict[str, dict[str, Any]] = {
    "ngrams": {"algorithm": "fasttext", "hyperparameters": CHOSEN | {"unit": "jamo"}},
    "pieces": {
        "algorithm": "word2vec",
        "hyperparameters": CHOSEN | {"epochs": 5},
        "text": {"tokenizer": {"kind": "sentencepiece", "n_pieces": 2500}},
    },
}
QUESTIONS: dict[str, dict[str, Any]] = {
    "/neighbors": {"word": LACKING, "k": 3},
    "/analogy": {"a": LACKING, "b": WRONG, "c": KNOWN},
    "/similarity": {"a": LACKING, "b": KNOWN},
    "/vector": {"word": LACKING},
    "/odd-one-out": {"words": [LACKING, WRONG, KNOWN]},
}


@pytest.fixture(params=TRAININGS)
def model(request: pytest.FixtureRequest, shared: httpx.Client) -> str:
    """A model of that name, trained on reviews of films that were uploaded."""
    name: str = request.param
    if shared.get(f"/models/{name}").is_success:
        return name
    if shared.get("/corpora/평점").status_code == 404:
        assert shared.put("/corpora/평점", content=lzma.decompress(REVIEWS.read_bytes())).status_code == 201
    submitted = shared.post("/jobs", json={"model": name, "corpus": "평점", **TRAININGS[name]})
    assert submitted.status_code == 202, submitted.text
    path = submitted.headers["location"]
    job = wait_for(lambda: (j := shared.get(path).json())["state"] in {"succeeded", "failed"} and j, 120, "training")
    assert job["state"] == "succeeded", job
    asked = {"model": name, "word": KNOWN}
    wait_for(lambda: shared.get("/vector", params=asked).is_success, 30, "serving")
    return name


def test_every_question_takes_words_that_the_corpus_lacks(shared: httpx.Client, model: str) -> None:
    told = {"word": LACKING, "in_vocabulary": False, "composed_from": model}
    for path, query in QUESTIONS.items():
        alone = {"word" if name == "words" else name: value for name, value in query.items()} | {"model": model}
        answer = shared.get(path, params=alone).json()
        found = answer if "word" in query else answer["composed"][0]
        assert told.items() <= found.items()
        assert 0 < found["confidence"] <= 1
        batch = shared.post(path, params={"model": model}, json={"queries": [query, query | {"oov": "reject"}]})
        same, refused = batch.json()["results"]
        assert same | {"model": model, "version": 1} == answer
        assert refused["error"]["missing"][0] == LACKING
        assert shared.get(path, params=alone | {"oov": "reject"}).status_code == 404
    text = shared.get("/text-vector", params={"model": model, "text": f"{LACKING} 정말"}).json()
    body = {"model": model, "input": [f"{LACKING} 정말", KNOWN]}
    embedded = shared.post("/v1/embeddings", json=body).json()
    assert embedded["data"][0]["embedding"] == text["vector"]
    assert text["out_of_vocabulary"] == []
    assert (text["n_words"] > 2, "composed" in text) == (model == "pieces", model == "ngrams")
    assert embedded.get("composed") == ([[LACKING], []] if model == "ngrams" else None)


@pytest.mark.parametrize("model", ["ngrams"], indirect=True)
def test_a_misspelt_word_finds_what_was_meant(shared: httpx.Client, model: str) -> None:
    asked = {"model": model, "word": WRONG, "k": "3"}
    answer = shared.get("/neighbors", params=asked).json()
    assert 0 < answer["confidence"] < 1
    assert MEANT & {item["word"] for item in answer["neighbors"]}
    asked |= {"word": LACKING}
    assert all("스토리" in item["word"] for item in shared.get("/neighbors", params=asked).json()["neighbors"])
    refused = shared.get("/neighbors", params=asked | {"oov": "reject"})
    assert (refused.status_code, refused.json()["missing"]) == (404, [LACKING])
    assert "스토리가" in refused.json()["suggestions"][LACKING]
