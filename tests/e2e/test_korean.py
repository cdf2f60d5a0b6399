"""Korean words that the corpus lacks: with particles, and misspelt."""

from __future__ import annotations

import lzma
from pathlib import Path

import httpx

from tests.e2e.conftest import wait_for

REVIEWS = Path(__file__).resolve().parents[1] / "data" / "corpora" / "nsmc-reviews.txt.xz"
MEANT = {"재밌었다", "재밌다", "재미있었다"}


def test_a_misspelt_word_finds_what_was_meant(shared: httpx.Client) -> None:
    assert shared.put("/corpora/평점", content=lzma.decompress(REVIEWS.read_bytes())).status_code == 201
    chosen = {"unit": "jamo", "preset": "small-corpus", "dim": 64, "min_count": 2}
    submitted = shared.post(
        "/jobs", json={"model": "평점", "corpus": "평점", "algorithm": "fasttext", "hyperparameters": chosen}
    )
    assert submitted.status_code == 202, submitted.text
    path = submitted.headers["location"]
    job = wait_for(lambda: (j := shared.get(path).json())["state"] in {"succeeded", "failed"} and j, 120, "training")
    assert job["state"] == "succeeded", job
    asked: dict[str, str | int] = {"model": "평점", "word": "재밋었다", "k": 3}
    answer = wait_for(lambda: (r := shared.get("/neighbors", params=asked)).is_success and r.json(), 30, "serving")
    assert (answer["in_vocabulary"], answer["composed_from"]) == (False, "ngrams")
    assert 0 < answer["confidence"] < 1
    assert MEANT & {item["word"] for item in answer["neighbors"]}
    asked |= {"word": "스토리가요"}
    assert all("스토리" in item["word"] for item in shared.get("/neighbors", params=asked).json()["neighbors"])
    refused = shared.get("/neighbors", params=asked | {"oov": "reject"})
    assert (refused.status_code, refused.json()["missing"]) == (404, ["스토리가요"])
    assert "스토리가" in refused.json()["suggestions"]["스토리가요"]
