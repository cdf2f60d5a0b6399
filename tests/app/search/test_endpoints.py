"""Every question over HTTP, against slow references."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from app.search.direct import DirectRoute
from app.serving import answering
from tests.app.search.conftest import Sample
from tests.oracles import search as oracle_search


def ask(client: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def problem(client: httpx.Client, path: str, status: int, **parameters: Any) -> dict[str, Any]:
    response = client.get(path, params=parameters)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    return body


def listed(sample: Sample, expected: list[tuple[int, float]]) -> list[dict[str, Any]]:
    """As answered, but for the last decimal: the table's unit vectors are rounded to float32, the oracle's are not."""
    return [{"word": sample.words[i], "score": pytest.approx(score, abs=1.1e-6)} for i, score in expected]


@pytest.mark.parametrize("k", [1, 10, 50, 51, 150, 199, 1000])
def test_neighbors(served: httpx.Client, sample: Sample, k: int) -> None:
    """Stored (k up to 50) and searched ones are the oracle's."""
    expected = oracle_search.nearest(sample.rows, sample.rows[0], {0}, k)
    body = ask(served, "/neighbors", word="king", k=k)
    assert body == {"model": "m", "version": 1, "word": "king", "neighbors": listed(sample, expected)}


@pytest.mark.parametrize("parameters", [{}, {"model": "m"}, {"version": "1"}, {"version": "v1", "model": "m", "k": 10}])
def test_the_short_and_the_long_way_write_the_same_bytes(
    served: httpx.Client, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str]
) -> None:
    """Of the route, and of the stored table and a search."""
    for path, words in (
        ("/neighbors", {"word": "왕"}),
        ("/neighbors", {"word": "왕", "exact": "true"}),
        ("/neighbors", {"word": "왕 왕"}),
        ("/neighbors", {"word": "없다"}),
        ("/similarity", {"a": "왕", "b": "king"}),
        ("/vector", {"word": "king"}),
        ("/odd-one-out", {"word": ["king", "왕", "queen", "king"]}),
        ("/neighbors", {"word": "왕", "deny": ["king", "word3"], "allow": "queen"}),
    ):
        asked = {**words, **parameters}
        if path != "/neighbors":
            asked.pop("k", None)
        short = served.get(path, params=asked)
        with monkeypatch.context() as patched:
            patched.setattr(DirectRoute, "_read", lambda *_: None)
            long = served.get(path, params=asked)
        assert (short.status_code, short.content) == (long.status_code, long.content)
        wanted = ("etag", "cache-control", "content-type", "content-length")
        assert [short.headers.get(name) for name in wanted] == [long.headers.get(name) for name in wanted]


def test_the_stored_table_and_a_search_write_the_same_bytes(
    served: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [served.get("/neighbors", params={"word": f"word{i}", "k": 50}).content for i in range(50)]
    monkeypatch.setattr(answering, "stored_neighbors", lambda *_: None)
    searched = [served.get("/neighbors", params={"word": f"word{i}", "k": 50}).content for i in range(50)]
    assert stored == searched


def test_csls_takes_the_neighborhoods_into_account(served: httpx.Client, sample: Sample) -> None:
    found = ask(served, "/neighbors", word="king", k=8, metric="csls")["neighbors"]
    expected = oracle_search.csls(sample.rows, 0, 8)
    assert [neighbor["word"] for neighbor in found] == [sample.words[i] for i, _ in expected]
    np.testing.assert_allclose([neighbor["csls"] for neighbor in found], [v for _, v in expected], atol=3e-6)
    cosines = [oracle_search.cosine(sample.rows[0], sample.rows[i]) for i, _ in expected]
    np.testing.assert_allclose([neighbor["score"] for neighbor in found], cosines, atol=1e-6)


def test_analogy(served: httpx.Client, sample: Sample) -> None:
    king, man, woman = (sample.id(word) for word in ("king", "man", "woman"))
    body = ask(served, "/analogy", a="king", b="man", c="woman", k=7)
    expected = listed(sample, oracle_search.analogy(sample.rows, [king, woman], [man], 7))
    assert body == {"model": "m", "version": 1, "a": "king", "b": "man", "c": "woman", "answers": expected}


def test_analogy_by_product(served: httpx.Client, sample: Sample) -> None:
    king, man, woman = (sample.id(word) for word in ("king", "man", "woman"))
    found = ask(served, "/analogy", a="king", b="man", c="woman", k=7, method="mul")["answers"]
    expected = oracle_search.analogy_by_product(sample.rows, [king, woman], [man], 7)
    assert [answer["word"] for answer in found] == [sample.words[i] for i, _ in expected]
    np.testing.assert_allclose([answer["product"] for answer in found], [p for _, p in expected], atol=1e-5)


def test_similarity_is_symmetric_and_the_neighbors_score(served: httpx.Client, sample: Sample) -> None:
    body = ask(served, "/similarity", a="king", b="queen")
    assert body["score"] == pytest.approx(oracle_search.cosine(sample.rows[0], sample.rows[1]), abs=6e-7)
    assert ask(served, "/similarity", a="queen", b="king")["score"] == body["score"]
    neighbors = ask(served, "/neighbors", word="king", k=199)["neighbors"]
    assert {"word": "queen", "score": body["score"]} in neighbors
    assert ask(served, "/similarity", a="king", b="king")["score"] == 1.0


def test_vector_is_the_trained_one(served: httpx.Client, sample: Sample) -> None:
    answer = ask(served, "/vector", word="queen")
    vector = answer["vector"]
    assert list(answer) == ["model", "version", "word", "rank", "vector"]
    assert answer["rank"] == 2
    np.testing.assert_allclose(vector, sample.vectors[1], rtol=3e-7)
    encoded = ask(served, "/vector", word="queen", encoding="base64")["vector"]
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(encoded), "<f4"), np.array(vector, np.float32))


def test_odd_one_out(served: httpx.Client, sample: Sample) -> None:
    words = ["king", "queen", "word3", "man"]
    body = served.get("/odd-one-out", params={"word": words}).json()
    units = [oracle_search.unit(sample.rows[sample.id(word)]) for word in words]
    mean = oracle_search.weighted_sum(units, [1.0] * 4)
    expected = [oracle_search.cosine(unit, mean) for unit in units]
    assert [item["word"] for item in body["words"]] == words
    np.testing.assert_allclose([item["score"] for item in body["words"]], expected, atol=6e-7)
    assert body["odd"] == words[expected.index(min(expected))]


def test_text_vector_weighs_rare_words_more_and_names_unknown_ones(served: httpx.Client, sample: Sample) -> None:
    body = ask(served, "/text-vector", text="The QUEEN and word100, word100!")
    assert (body["n_words"], body["out_of_vocabulary"]) == (3, ["the", "and"])
    component = text_component_of(sample)
    expected = oracle_search.sif(sample.rows, sample.counts, [1, sample.id("word100"), sample.id("word100")], component)
    np.testing.assert_allclose(body["vector"], expected, atol=1e-5)


def text_component_of(sample: Sample) -> list[float]:
    """The expectation over texts of ten words, term by term."""
    p = np.array(sample.counts) / sum(sample.counts)
    x = (1e-3 / (1e-3 + p))[:, None] * sample.vectors.astype(np.float64)
    moment = sum(p[i] * np.outer(x[i], x[i]) for i in range(len(p))) / 10 + 0.9 * np.outer(p @ x, p @ x)
    component: list[float] = np.linalg.svd(moment)[0][:, 0].tolist()
    return component


def test_queries_are_read_as_the_corpus_was(served: httpx.Client) -> None:
    for spelling in ("KING", " king ", "king!"):
        assert ask(served, "/neighbors", word=spelling, k=1)["word"] == "king"
    assert ask(served, "/neighbors", word="nai\u0308ve", k=1)["word"] == "naïve"
    assert ask(served, "/neighbors", word="\u110b\u116a\u11bc", k=1)["word"] == "왕"


def test_unknown_words_are_all_named_with_near_spellings(served: httpx.Client) -> None:
    body = problem(served, "/analogy", 404, a="kingg", b="man", c="womna")
    assert body["missing"] == ["kingg", "womna"]
    assert body["suggestions"]["kingg"][0] == "king"
    assert body["suggestions"]["womna"][0] == "woman"
    assert body["type"] == "/problems/word-not-found"


@pytest.mark.parametrize("word", ["two words", "!!!", "a-b"])
def test_not_one_word(served: httpx.Client, word: str) -> None:
    assert problem(served, "/neighbors", 422, word=word)["type"] == "/problems/not-one-word"


@pytest.mark.parametrize("word", ["king++", "#king", ".king", "king_"])
def test_marks_of_a_query_are_not_dropped_in_silence(served: httpx.Client, word: str) -> None:
    body = problem(served, "/neighbors", 422, word=word)
    assert (body["type"], body["query"], body["words"]) == ("/problems/not-one-word", word, ["king"])
    assert "would be read as 'king'" in body["detail"]
    assert "keep_tokens" in body["detail"]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/neighbors", {}),
        ("/neighbors", {"word": ""}),
        ("/neighbors", {"text": ""}),
        ("/neighbors", {"text": "..."}),
        ("/neighbors", {"text": "x" * 2001}),
        ("/neighbors", {"word": "king", "text": "king"}),
        ("/neighbors", {"word": "king", "k": 0}),
        ("/neighbors", {"word": "king", "k": 1001}),
        ("/neighbors", {"word": "king", "k": "٣"}),
        ("/neighbors", {"word": "king", "n": 3}),
        ("/neighbors", {"word": "king", "metric": "euclid"}),
        ("/analogy", {"a": "king", "b": "man"}),
        ("/odd-one-out", {"word": ["king", "queen"]}),
        ("/text-vector", {"text": "..."}),
    ],
)
def test_invalid_questions(served: httpx.Client, path: str, parameters: dict[str, Any]) -> None:
    assert problem(served, path, 422, **parameters)["type"] == "/problems/invalid-request"


def test_an_unknown_parameter_is_told_what_was_meant(served: httpx.Client) -> None:
    (issue,) = problem(served, "/vector", 422, word="king", encodings="json")["errors"]
    assert issue == {
        "location": "query.encodings",
        "message": "There is no such name. Did you mean 'encoding'? There are: model, version, oov, word, encoding",
        "value": "json",
    }


def test_head_has_the_headers_of_the_answer(served: httpx.Client) -> None:
    asked = {"a": "king", "b": "man", "version": "1"}
    got, head = (served.request(method, "/similarity", params=asked) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "cache-control", "content-length", "content-type"):
        assert head.headers[name] == got.headers[name]


def test_versions_and_models(served: httpx.Client) -> None:
    assert ask(served, "/neighbors", word="king", version="2")["version"] == 2
    assert ask(served, "/neighbors", word="king", version="next")["version"] == 2
    assert ask(served, "/neighbors", word="g1", model="graph")["model"] == "graph"
    assert problem(served, "/neighbors", 404, word="king", version="7")["title"] == "Version not found"
    assert problem(served, "/neighbors", 404, word="king", version="nope")["title"] == "Version not found"
    assert problem(served, "/neighbors", 404, word="king", model="nope")["title"] == "Model not found"


def test_the_same_question_gives_the_same_etag_and_304(served: httpx.Client) -> None:
    for path in ("/neighbors?word=king", "/analogy?a=king&b=man&c=woman", "/vector?word=king", "/words?prefix=w"):
        first = served.get(path)
        etag = first.headers["etag"]
        assert etag.startswith('"')
        for sent in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            again = served.get(path, headers={"If-None-Match": sent})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert served.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_only_numbered_versions_are_immutable(served: httpx.Client) -> None:
    def caching(**parameters: str) -> str:
        value: str = served.get("/similarity", params={"a": "king", "b": "man", **parameters}).headers["cache-control"]
        return value

    assert caching(model="m", version="1") == "public, max-age=31536000, immutable"
    assert caching(version="1") == "public, max-age=60, immutable"
    assert caching(model="m") == caching(version="latest") == "no-cache"


def test_an_approximate_index_says_so_and_exact_is_exact(served: httpx.Client) -> None:
    asked = {"a": "g1", "b": "g2", "c": "g3", "model": "graph"}
    approximate = ask(served, "/analogy", **asked)
    assert approximate["approximate"]["index"] == "hnsw"
    assert 0 < approximate["approximate"]["recall_at_10"] <= 1
    exact = ask(served, "/analogy", exact=True, **asked)
    assert "approximate" not in exact
    scores = {answer["word"]: answer["score"] for answer in exact["answers"]}
    shared = [a for a in approximate["answers"] if a["word"] in scores]
    assert len(shared) >= 8
    assert all(scores[a["word"]] == a["score"] for a in shared)
    assert "approximate" not in ask(served, "/neighbors", word="g5", model="graph"), "stored, so exact"
    assert ask(served, "/neighbors", word="g5", model="graph", k=60)["approximate"]["index"] == "hnsw"
