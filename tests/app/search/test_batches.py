from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.core.names import MAX_WORD_BYTES
from app.serving.suggestions import MAX_WORDS
from tests.app.search.conftest import Sample
from tests.oracles import search as oracle_search
from tests.published import World, random_vectors


def post(client: httpx.Client, path: str, queries: list[dict[str, Any]], **parameters: str) -> list[Any]:
    response = client.post(path, json={"queries": queries}, params=parameters)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body.keys() == {"model", "version", "results"}
    results: list[Any] = body["results"]
    return results


def near(score: float) -> Any:
    return pytest.approx(score, abs=1.1e-6)


@pytest.mark.parametrize("model", ["m", "graph"])
def test_each_item_has_the_bytes_of_the_single_answer(served: httpx.Client, model: str) -> None:
    """Different k in one batch, known and unknown words, through the table, the scan and the graph."""
    known = "word" if model == "m" else "g"
    queries: list[dict[str, Any]] = [
        {"a": f"{known}{i}", "b": f"{known}{i + 1}", "c": f"{known}{i + 2}", "k": 1 + 7 * i % 90} for i in range(60)
    ]
    response = served.post("/analogy", json={"queries": queries}, params={"model": model})
    head = served.get("/analogy", params={**queries[0], "model": model}).content.partition(b'"a":')[0]
    singles = []
    for query in queries:
        single = served.get("/analogy", params={**query, "model": model})
        assert single.status_code == 200
        singles.append(b"{" + single.content.removeprefix(head))
    assert response.content == head + b'"results":[' + b",".join(singles) + b"]}"


def test_every_item_has_its_own_error(served: httpx.Client) -> None:
    found = post(served, "/neighbors", [{"word": "king", "k": 1}, {"word": "kingg"}, {"word": "a b"}, {"word": "man"}])
    assert [item.get("word") for item in found] == ["king", None, None, "man"]
    assert [item["error"]["status"] for item in found[1:3]] == [404, 422]
    assert found[1]["error"]["suggestions"]["kingg"][0] == "king"
    single = served.get("/neighbors", params={"word": "kingg"}).json()
    assert found[1]["error"] | {"request_id": "one"} == single


def test_neighbors_of_a_weighted_sum(served: httpx.Client, sample: Sample) -> None:
    (found,) = post(served, "/neighbors", [{"words": {"king": 2, "man": -0.5, "왕": 1}, "k": 6}])
    ids = [sample.id(word) for word in ("king", "man", "왕")]
    direction = oracle_search.weighted_sum([oracle_search.unit(sample.rows[i]) for i in ids], [2, -0.5, 1])
    expected = oracle_search.nearest(sample.rows, direction, set(ids), 6)
    assert found == {
        "words": {"king": 2.0, "man": -0.5, "왕": 1.0},
        "neighbors": [{"word": sample.words[i], "score": near(score)} for i, score in expected],
    }


@pytest.mark.parametrize("model", ["m", "graph"])
def test_a_sum_of_one_word_is_that_word(served: httpx.Client, model: str) -> None:
    """To the last digit, stored, searched and filtered."""
    known = "word" if model == "m" else "g"
    for i in range(0, 190, 5):
        for options in ({"k": 10}, {"k": 60}, {"k": 60, "exact": True}, {"k": 60, "min_count": 2}):
            weights: list[dict[str, float]] = [{f"{known}{i}": 1}, {f"{known}{i}": 0.3}]
            asked: list[dict[str, Any]] = [{"word": f"{known}{i}"}, *({"words": sum_} for sum_ in weights)]
            of_word, *of_sums = post(served, "/neighbors", [{**query, **options} for query in asked], model=model)
            of_word.pop("word")
            for of_sum, given in zip(of_sums, weights, strict=True):
                assert of_sum.pop("words") == given
                assert of_sum == of_word


def test_two_spellings_of_a_word_are_added_up(served: httpx.Client) -> None:
    both, one = post(
        served, "/neighbors", [{"words": {"King": 1, "king": 2, "man": -1}}, {"words": {"king": 3, "man": -1}}]
    )
    assert both == one
    assert both["words"] == {"king": 3, "man": -1}


def test_neighbors_of_a_vector_leave_nothing_out(served: httpx.Client, sample: Sample) -> None:
    (found,) = post(served, "/neighbors", [{"vector": sample.rows[3], "k": 3}])
    assert found["neighbors"][0] == {"word": "woman", "score": 1.0}
    expected = oracle_search.nearest(sample.rows, sample.rows[3], set(), 3)
    assert [n["word"] for n in found["neighbors"]] == [sample.words[i] for i, _ in expected]


def test_filters(served: httpx.Client, sample: Sample) -> None:
    everything = oracle_search.nearest(sample.rows, sample.rows[0], {0}, 200)

    def expected(allowed: set[str]) -> list[dict[str, Any]]:
        return [{"word": sample.words[i], "score": near(s)} for i, s in everything if sample.words[i] in allowed][:5]

    words = set(sample.words)
    first = sample.words[everything[0][0]]
    found = post(
        served,
        "/neighbors",
        [
            {"word": "king", "k": 5, "prefix": "word1"},
            {"word": "king", "k": 5, "max_rank": 40},
            {"word": "king", "k": 5, "min_count": 500},
            {"word": "king", "k": 5, "deny": [first, "unheard-of".replace("-", "")]},
            {"word": "king", "k": 5, "prefix": "word1", "max_rank": 60, "deny": ["word11"]},
            {"word": "king", "k": 5, "prefix": "zzz"},
            {"word": "king", "k": 5, "min_count": 10**9},
            {"word": "king", "k": 5, "min_count": 1},
        ],
    )
    assert [item["neighbors"] for item in found] == [
        expected({word for word in words if word.startswith("word1")}),
        expected(set(sample.words[:40])),
        expected({word for word, count in zip(sample.words, sample.counts, strict=True) if count >= 500}),
        expected(words - {first}),
        expected({word for word in sample.words[:60] if word.startswith("word1")} - {"word11"}),
        [],
        [],
        expected(words),
    ]


def test_analogy_of_many_words(served: httpx.Client, sample: Sample) -> None:
    words = {"positive": ["king", "woman", "word7"], "negative": ["man", "word9"]}
    positive, negative = ([sample.id(word) for word in words[side]] for side in ("positive", "negative"))
    added, multiplied = post(served, "/analogy", [{**words, "k": 4}, {**words, "k": 4, "method": "mul"}])
    expected = oracle_search.analogy(sample.rows, positive, negative, 4)
    assert added == {**words, "answers": [{"word": sample.words[i], "score": near(s)} for i, s in expected]}
    by_product = oracle_search.analogy_by_product(sample.rows, positive, negative, 4)
    assert [a["word"] for a in multiplied["answers"]] == [sample.words[i] for i, _ in by_product]


def test_similarity_of_sets(served: httpx.Client, sample: Sample) -> None:
    (found,) = post(served, "/similarity", [{"a": ["king", "queen"], "b": "man"}])
    mean = oracle_search.weighted_sum([oracle_search.unit(sample.rows[i]) for i in (0, 1)], [1.0, 1.0])
    expected = oracle_search.cosine(mean, sample.rows[sample.id("man")])
    assert found == {"a": ["king", "queen"], "b": "man", "score": pytest.approx(expected, abs=6e-7)}


def test_the_other_batches(served: httpx.Client) -> None:
    words = ["king", "man", "왕"]
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("/vector", {"word": "king", "encoding": "base64"}, {}),
        ("/words", {"prefix": "word", "k": 2}, {}),
        ("/text-vector", {"text": "king of man"}, {}),
        ("/odd-one-out", {"words": words}, {"word": words}),
    ]
    for path, query, parameters in cases:
        (found,) = post(served, path, [query])
        single = served.get(path, params=parameters or query).json()
        assert {"model": "m", "version": 1, **found} == single


def test_a_word_as_long_as_a_vocabulary_takes_can_be_asked_for(tmp_path: Path) -> None:
    """One that is longer, or unknown, is refused by name."""
    long, unknown, too_long = "x" * MAX_WORD_BYTES, "y" * MAX_WORD_BYTES, "x" * (MAX_WORD_BYTES + 1)
    world = World(tmp_path)
    world.publish("m", ["king", "queen", long], random_vectors(3, 4))
    with world.served() as client:
        found, missing = post(client, "/similarity", [{"a": "king", "b": long}, {"a": "king", "b": unknown}])
        assert -1 <= found["score"] <= 1
        assert found["b"] == long
        assert (missing["error"]["status"], missing["error"]["missing"]) == (404, [unknown])
        (refused,) = post(client, "/similarity", [{"a": "king", "b": too_long}])
        assert refused["error"]["status"] == 422
    world.close()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/neighbors", {"word": "king", "k": True}),
        ("/neighbors", {"word": "king", "min_count": True}),
        ("/neighbors", {"word": "king", "max_rank": True}),
        ("/neighbors", {"vector": [True] * 12}),
        ("/neighbors", {"words": {"king": True}}),
        ("/analogy", {"a": "king", "b": "man", "c": "woman", "k": True}),
        ("/words", {"prefix": "", "k": True}),
    ],
)
def test_true_is_no_number(served: httpx.Client, path: str, query: dict[str, Any]) -> None:
    (found,) = post(served, path, [query])
    assert "true and false are no numbers" in found["error"]["detail"] or "valid number" in found["error"]["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"queries": []},
        {"queries": [{"word": "king"}] * 257},
        {"queries": {"word": "king"}},
        {"queries": [{"word": "king", "k": 1000}] * 26},
        {"queries": [{"word": "king"}], "unknown": 1},
        {"queries": [{"word": "king"}], "version": [1]},
    ],
)
def test_bad_batches(served: httpx.Client, body: dict[str, Any]) -> None:
    response = served.post("/neighbors", json=body)
    assert response.status_code == 422
    assert response.json()["type"] == "/problems/invalid-request"


def test_a_batch_names_who_is_asked_in_its_body_or_in_the_address(served: httpx.Client) -> None:
    queries = [{"word": "king", "k": 1}]
    asked = {"model": "m", "version": "2"}
    expected = served.post("/neighbors", json={"queries": queries}, params=asked).content
    for in_body, in_address in (
        (asked, {}),
        ({"model": "m", "version": 2}, {}),
        ({"version": "2"}, {"model": "m"}),
        ({"model": None}, asked),
        (asked, asked),
    ):
        answer = served.post("/neighbors", json={"queries": queries, **in_body}, params=in_address)
        assert (answer.status_code, answer.content) == (200, expected)
    for name, other in (("model", "graph"), ("version", "latest")):
        refused = served.post("/neighbors", json={"queries": queries, name: other}, params=asked)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid-request")
        assert refused.json()["detail"] == f"{name} is {asked[name]!r} in the address and {other!r} in the body."


@pytest.mark.parametrize(
    "query",
    [
        {"vector": [1.0, 2.0]},
        {"vector": [0.0] * 12},
        {"vector": [1e300] * 12},
        {"words": {"king": 0}},
        {"words": {"king": 1e308, "man": 1e308}},
    ],
)
def test_items_without_a_direction(served: httpx.Client, query: dict[str, Any]) -> None:
    (found,) = post(served, "/neighbors", [query])
    assert found["error"]["type"] == "/problems/invalid-request"


def test_vectors_come_back_exactly(served: httpx.Client, sample: Sample) -> None:
    (found,) = post(served, "/vector", [{"word": "queen"}])
    np.testing.assert_allclose(np.array(found["vector"], np.float32), sample.vectors[1], rtol=3e-7)


def test_work_is_limited_as_answers_are(served: httpx.Client) -> None:
    """Each word of 3CosMul takes a scan of the vocabulary."""
    words = ["king", "queen"] * 32
    query = {"positive": words, "negative": words, "method": "mul"}
    for n_queries, status in ((4, 200), (5, 422)):
        assert served.post("/analogy", json={"queries": [query] * n_queries}).status_code == status


def test_near_spellings_are_for_the_first_unknown_words_of_a_request(served: httpx.Client) -> None:
    unknown = [spelling for letter in "abcdefghijklmnopqrstuvwxyz" for spelling in (f"king{letter}", f"{letter}king")]
    queries = [{"words": unknown[start : start + 10]} for start in range(0, 50, 10)]
    found = post(served, "/odd-one-out", queries)
    assert [len(item["error"]["missing"]) for item in found] == [10] * 5
    given = [near for item in found for near in item["error"]["suggestions"].values() if near]
    assert len(given) == MAX_WORDS


def test_a_request_that_is_wrong_everywhere_gets_a_short_answer(served: httpx.Client) -> None:
    body = {"queries": [{"word": "king"}], **{f"x{i}": 1 for i in range(20_000)}}
    response = served.post("/neighbors", json=body)
    assert response.status_code == 422
    errors = response.json()["errors"]
    assert (len(errors), errors[-1]["message"]) == (101, "and 19900 more")
    assert len(response.content) < 50_000
