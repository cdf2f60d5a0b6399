"""Words that the vocabulary lacks, composed of n-grams, in every question; known words are answered as ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from gensim.models.fasttext import ft_ngram_hashes

from app.core.nearest.text_vectors import word_weights
from app.core.table.parts import Ngrams, Parts
from app.search.embeddings import EmbeddingsAnswer
from app.serving import answers
from tests.app.search.test_batches import near, post
from tests.oracles import search as oracle
from tests.published import FloatArray, World, random_vectors, vocabulary_of

WORDS = ["king", "queen", "man", "woman", "왕", *(f"word{i}" for i in range(25))]
VECTORS = random_vectors(len(WORDS), 6)
NGRAMS = Ngrams(min_n=2, max_n=3, n_buckets=100_003)
BUCKETS = np.array(sorted({code for word in WORDS for code in ft_ngram_hashes(word, 2, 3, NGRAMS.n_buckets)}), np.int32)
ROWS = random_vectors(len(BUCKETS), 6, seed=5)
TRAINED = (np.arange(len(BUCKETS)) % 5 > 0).astype(np.uint8)
KINGS = {"word": "kings", "in_vocabulary": False, "composed_from": "ngrams"}


def composed(word: str) -> tuple[FloatArray, float]:
    """The mean of the rows that are there, and the share that was trained."""
    hashes = ft_ngram_hashes(word, 2, 3, NGRAMS.n_buckets)
    rows = [int(np.flatnonzero(code == BUCKETS)[0]) for code in hashes if code in BUCKETS]
    return ROWS[rows].mean(axis=0, dtype=np.float64), round(int(TRAINED[rows].sum()) / len(hashes), 4)


def unit(vector: Any) -> list[float]:
    listed: list[float] = (np.asarray(vector, np.float64) / np.linalg.norm(np.asarray(vector, np.float64))).tolist()
    return listed


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    world = World(tmp_path_factory.mktemp("composed"), default_model="m")
    world.publish("m", WORDS, VECTORS, parts=Parts(NGRAMS, ROWS, BUCKETS, trained=TRAINED))
    world.publish("plain", WORDS, VECTORS)
    with world.served() as client:
        yield client
    world.close()


def got(client: httpx.Client, path: str, **parameters: Any) -> Any:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def test_neighbors_are_those_of_the_composed_direction(client: httpx.Client) -> None:
    vector, confidence = composed("kings")
    assert 0 < confidence < 1
    answer = got(client, "/neighbors", word="Kings", k=5)
    expected = oracle.nearest(VECTORS.tolist(), unit(vector), set(), 5)
    assert answer == KINGS | {"confidence": confidence, "model": "m", "version": 1} | {
        "neighbors": [{"word": WORDS[i], "score": near(score)} for i, score in expected]
    }
    answers.named(answers.Neighbors).model_validate(answer, strict=True)
    some = got(client, "/neighbors", word="kings", prefix="w", metric="csls", k=3)["neighbors"]
    assert [found["word"][0] for found in some] == ["w", "w", "w"]
    alone, summed = post(client, "/neighbors", [{"word": "kings", "k": 5}, {"words": {"kings": 2}, "k": 5}])
    assert alone["neighbors"] == summed["neighbors"] == answer["neighbors"]
    assert (summed["words"], summed["composed"]) == ({"kings": 2.0}, [KINGS | {"confidence": confidence}])


def test_a_vector_is_the_mean_of_the_n_grams(client: httpx.Client) -> None:
    answer = got(client, "/vector", word="kings")
    np.testing.assert_allclose(answer["vector"], composed("kings")[0], rtol=1e-6)
    assert (answer["rank"], answer["in_vocabulary"]) == (None, False)
    answers.named(answers.WordVector).model_validate(answer, strict=True)


@pytest.mark.parametrize("method", ["add", "mul"])
def test_analogies_and_similarities_take_composed_words(client: httpx.Client, method: str) -> None:
    kings, men = (np.array(unit(composed(word)[0])) for word in ("kings", "mens"))
    woman = np.array(unit(VECTORS[WORDS.index("woman")]))
    answer = got(client, "/analogy", a="kings", b="mens", c="woman", method=method, k=29)
    assert [word["word"] for word in answer["composed"]] == ["kings", "mens"]
    scores = {WORDS[i]: score for i, score in oracle.nearest(VECTORS.tolist(), unit(kings - men + woman), {3}, 29)}
    assert {found["word"]: found["score"] for found in answer["answers"]} == pytest.approx(scores, abs=2e-6)
    answers.named(answers.Analogy).model_validate(answer, strict=True)
    pair = got(client, "/similarity", a="kings", b="woman")
    assert pair["score"] == near(float(kings @ woman))
    assert pair["composed"][0]["word"] == "kings"
    odd = got(client, "/odd-one-out", word=["kings", "woman", "kings"])
    assert (odd["odd"], len(odd["composed"])) == ("woman", 1)
    answers.named(answers.OddOneOut).model_validate(odd, strict=True)


def test_texts_take_composed_words_with_the_weight_of_the_rarest(client: httpx.Client) -> None:
    counts = vocabulary_of(WORDS).counts
    weights = word_weights(counts, int(counts.sum()))
    mean = (weights[1] * VECTORS[1].astype(np.float64) + composed("kings")[0]) / 2
    without = got(client, "/text-vector", text="queen kings", oov="reject")
    assert (without["n_words"], without["out_of_vocabulary"]) == (1, ["kings"])
    answer = got(client, "/text-vector", text="queen kings 東東")
    assert (answer["n_words"], answer["out_of_vocabulary"], answer["composed"][0]["word"]) == (2, ["東東"], "kings")
    answers.named(answers.TextVector).model_validate(answer, strict=True)
    axis = mean - np.array(answer["vector"]) * (mean @ np.array(answer["vector"]))  # what was taken out
    component = axis / np.linalg.norm(axis)
    np.testing.assert_allclose(unit(mean - component * (component @ mean)), answer["vector"], atol=1e-6)
    plain = got(client, "/text-vector", text="queen man king", model="plain")["vector"]
    assert abs(component @ np.array(plain)) < 1e-4  # the same in both models
    one = got(client, "/text-vector", text="kings")
    np.testing.assert_allclose(one["vector"], unit(composed("kings")[0]), atol=1e-6)
    near_text = got(client, "/neighbors", text="queen kings", k=3)
    assert (near_text["missing"], near_text["composed"][0]["word"]) == ([], "kings")
    assert "queen" not in [found["word"] for found in near_text["neighbors"]]


def test_embeddings_take_them(client: httpx.Client) -> None:
    body = {"model": "m", "input": ["kings", "queen", "kings queen"]}
    answer = client.post("/v1/embeddings", json=body).json()
    np.testing.assert_allclose(answer["data"][0]["embedding"], unit(composed("kings")[0]), atol=1e-6)
    assert (answer["composed"], answer["unknown"]) == ([["kings"], [], ["kings"]], [])
    EmbeddingsAnswer.model_validate(answer, strict=True)
    refused = client.post("/v1/embeddings", json=body | {"oov": "reject"}).json()
    assert refused["out_of_vocabulary"] == [["kings"], [], ["kings"]]
    assert [item["index"] for item in refused["unknown"]] == [0]


@pytest.mark.parametrize(
    "asked", [{"word": "kings", "oov": "reject"}, {"word": "東東"}, {"word": "kings", "model": "plain"}]
)
def test_what_is_not_composed_answers_404(client: httpx.Client, asked: dict[str, str]) -> None:
    refused = client.get("/neighbors", params=asked)
    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/word-not-found")
    assert refused.json()["missing"] == [asked["word"]]
    batch = {"queries": [{name: value for name, value in asked.items() if name != "model"}]}
    (item,) = client.post("/neighbors", json=batch, params={"model": asked.get("model", "m")}).json()["results"]
    assert item["error"]["missing"] == [asked["word"]]


def test_known_words_are_answered_with_the_same_bytes(client: httpx.Client) -> None:
    asked: dict[str, dict[str, Any]] = {
        "/neighbors": {"word": "king"},
        "/analogy": {"a": "king", "b": "man", "c": "woman"},
        "/similarity": {"a": "king", "b": "queen"},
        "/vector": {"word": "왕"},
        "/odd-one-out": {"word": ["king", "queen", "word3"]},
        "/text-vector": {"text": "king queen"},
    }
    for path, parameters in asked.items():
        mine, plain = (client.get(path, params=parameters | {"model": model}).content for model in ("m", "plain"))
        assert mine.replace(b'"model":"m"', b'"model":"plain"') == plain


def test_questions_of_the_vocabulary_alone_refuse_them(client: httpx.Client) -> None:
    for path in ("/senses", "/contexts"):
        assert client.get(path, params={"word": "kings"}).status_code == 404
