"""Which words may be answers: the same filters by GET and by POST, each against a slow reference."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.app.search.conftest import Sample
from tests.app.search.test_batches import near, post
from tests.oracles import search as oracle_search

WORDS = ["word3", "queen", "word150", "word3", "unknown"]


def answers(client: httpx.Client, path: str, member: str = "neighbors", **parameters: Any) -> list[dict[str, Any]]:
    """By GET, after POST has given the same."""
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    target = {name: parameters.pop(name) for name in ("model",) if name in parameters}
    (posted,) = post(client, path, [parameters], **target)
    assert {**posted, **{name: response.json()[name] for name in ("model", "version")}} == response.json()
    found: list[dict[str, Any]] = posted[member]
    return found


def everything(sample: Sample) -> list[tuple[str, float]]:
    return [(sample.words[i], score) for i, score in oracle_search.nearest(sample.rows, sample.rows[0], {0}, 200)]


@pytest.mark.parametrize(
    ("filters", "is_allowed"),
    [
        ({"prefix": "word1"}, lambda word, _: word.startswith("word1")),
        ({"prefix": "WORD1"}, lambda word, _: word.startswith("word1")),
        ({"min_count": 500}, lambda word, sample: sample.counts[sample.id(word)] >= 500),
        ({"max_rank": 40}, lambda word, sample: sample.id(word) < 40),
        ({"deny": ["queen", "word3", "unknown"]}, lambda word, _: word not in {"queen", "word3"}),
        ({"deny": "queen"}, lambda word, _: word != "queen"),
        ({"allow": WORDS}, lambda word, _: word in WORDS),
        ({"allow": [*WORDS, "king"]}, lambda word, _: word in WORDS),
        ({"allow": WORDS, "prefix": "word", "max_rank": 100}, lambda word, _: word == "word3"),
        ({"allow": WORDS, "deny": ["queen"]}, lambda word, _: word in {"word3", "word150"}),
        ({"allow": ["unknown"]}, lambda *_: False),
    ],
)
def test_filters_are_the_same_by_get_and_by_post(
    served: httpx.Client, sample: Sample, filters: dict[str, Any], is_allowed: Any
) -> None:
    expected = [{"word": word, "score": near(s)} for word, s in everything(sample) if is_allowed(word, sample)]
    parameters = {"word": "king", "k": 6, **filters}
    if isinstance(filters.get("deny"), str):
        assert served.get("/neighbors", params=parameters).json()["neighbors"] == expected[:6]
    else:
        assert answers(served, "/neighbors", **parameters) == expected[:6]


@pytest.mark.parametrize("k", [10, 60])
@pytest.mark.parametrize("filters", [{}, {"prefix": "word"}])
def test_a_smallest_score_ends_the_list(served: httpx.Client, sample: Sample, k: int, filters: dict[str, str]) -> None:
    """Stored, searched and filtered neighbours."""
    full = answers(served, "/neighbors", word="king", k=k, **filters)
    least = full[4]["score"]
    assert answers(served, "/neighbors", word="king", k=k, min_score=least, **filters) == full[:5]
    assert answers(served, "/neighbors", word="king", k=3, min_score=least, **filters) == full[:3]
    assert answers(served, "/neighbors", word="king", k=k, min_score=least + 1e-6, **filters) == full[:4]
    assert answers(served, "/neighbors", word="king", k=k, min_score=1, **filters) == []


def test_a_smallest_score_of_other_orders_is_not_the_end_of_the_list(served: httpx.Client, sample: Sample) -> None:
    """By CSLS and by product a later answer may have a larger cosine, and takes the place of one left out."""
    cases: list[tuple[str, str, dict[str, Any]]] = [
        ("/neighbors", "neighbors", {"word": "king", "metric": "csls"}),
        ("/analogy", "answers", {"a": "king", "b": "man", "c": "woman", "method": "mul"}),
        ("/analogy", "answers", {"a": "king", "b": "man", "c": "woman"}),
    ]
    for path, member, asked in cases:
        full = answers(served, path, member, k=1000, **asked)
        assert len(full) > 150
        least = sorted(answer["score"] for answer in full)[-12]
        expected = [answer for answer in full if answer["score"] >= least]
        assert answers(served, path, member, k=1000, min_score=least, **asked) == expected
        assert answers(served, path, member, k=7, min_score=least, **asked) == expected[:7]


def test_a_smallest_score_of_an_approximate_answer(served: httpx.Client) -> None:
    asked = {"a": "g1", "b": "g2", "c": "g3", "model": "graph"}
    full = answers(served, "/analogy", "answers", **asked)
    assert answers(served, "/analogy", "answers", min_score=full[2]["score"], **asked) == full[:3]


@pytest.mark.parametrize(
    "filters",
    [
        {"allow": []},
        {"allow": ["a"] * 1025},
        {"allow": [""]},
        {"allow": ["two words"]},
        {"min_score": 1.1},
        {"min_score": -2},
        {"min_score": True},
        {"min_score": "high"},
    ],
)
def test_bad_filters(served: httpx.Client, filters: dict[str, Any]) -> None:
    (found,) = post(served, "/neighbors", [{"word": "king", **filters}])
    assert found["error"]["status"] == 422
