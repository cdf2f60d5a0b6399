"""Versions that were trained with a tokenizer, in every question: of pieces, and of morphemes with n-grams below."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from gensim.models.fasttext import ft_ngram_hashes

from app.core.nearest.text_vectors import word_weights
from app.core.table.parts import Ngrams, Parts
from app.core.text import TextSpec
from app.core.text.tokenizers.sentencepiece import MODEL
from app.serving import answers
from tests.app.core.text.test_tokenizers import small_model
from tests.app.search.test_batches import near, post
from tests.app.search.test_composed import got, unit
from tests.published import World, random_vectors, vocabulary_of

PIECES = ["low", "##low", "##est", "학교에서", "lower", "new", *(f"word{i}" for i in range(20))]
MORPHEMES = ["학교", "바다", "보", "커피", *(f"word{i}" for i in range(20))]
VECTORS = random_vectors(len(PIECES), 6)
NGRAMS = Ngrams(min_n=2, max_n=3, n_buckets=100_003)
BUCKETS = np.array(sorted({code for word in MORPHEMES for code in ft_ngram_hashes(word, 2, 3, 100_003)}), np.int32)
ROWS = random_vectors(len(BUCKETS), 6, seed=5)
LOWEST = {"word": "lowest", "in_vocabulary": False, "composed_from": "pieces", "confidence": 1.0}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    pytest.importorskip("sentencepiece")
    pytest.importorskip("mecab")
    world = World(tmp_path_factory.mktemp("tokenised"))
    model = small_model()
    digests = {MODEL: hashlib.sha256(model).hexdigest()}
    pieces = TextSpec.model_validate({"tokenizer": "sentencepiece", "resources": digests})
    morphemes = TextSpec.model_validate({"tokenizer": "mecab-ko"})
    world.publish("pieces", PIECES, VECTORS, text=pieces, resources={MODEL: model})
    world.publish("both", MORPHEMES, VECTORS[: len(MORPHEMES)], text=morphemes, parts=Parts(NGRAMS, ROWS, BUCKETS))
    with world.served() as client:
        yield client
    world.close()


def mean(*words: str) -> list[float]:
    return unit(np.mean([VECTORS[PIECES.index(word)] for word in words], axis=0, dtype=np.float64))


def test_a_word_is_the_mean_of_its_pieces_in_every_question(client: httpx.Client) -> None:
    both, lower, new = np.array(mean("low", "##est")), np.array(mean("lower")), np.array(mean("new"))
    units = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    asked = {"model": "pieces"}
    found = got(client, "/neighbors", word="LOWEST", k=26, **asked)
    assert {name: found[name] for name in LOWEST} == LOWEST
    scores = dict(zip(PIECES, (units @ both).tolist(), strict=True))
    assert {item["word"]: item["score"] for item in found["neighbors"]} == pytest.approx(scores, abs=2e-6)
    pair = got(client, "/similarity", a="lowest", b="lower", **asked)
    assert (pair["score"], pair["composed"]) == (near(float(both @ lower)), [LOWEST])
    for method in ("add", "mul"):
        analogy = got(client, "/analogy", a="lowest", b="lower", c="new", k=26, method=method, **asked)
        sums = unit(both - lower + new)
        scores = {PIECES[i]: float(units[i] @ sums) for i in range(26) if PIECES[i] not in {"lower", "new"}}
        assert {item["word"]: item["score"] for item in analogy["answers"]} == pytest.approx(scores, abs=2e-6)
        assert analogy["composed"] == [LOWEST]
    vector = got(client, "/vector", word="lowest", **asked)
    np.testing.assert_allclose(unit(vector["vector"]), both, atol=1e-6)
    odd = got(client, "/odd-one-out", word=["lowest", "lower", "lowest"], **asked)
    assert (odd["odd"], odd["composed"]) == ("lower", [LOWEST])
    batches: dict[str, dict[str, Any]] = {
        "/neighbors": {"word": "lowest", "k": 3},
        "/similarity": {"a": "lowest", "b": "lower"},
        "/analogy": {"a": "lowest", "b": "lower", "c": "new"},
        "/vector": {"word": "lowest"},
        "/odd-one-out": {"words": ["lowest", "lower", "new"]},
    }
    for path, query in batches.items():
        alone = {"word" if name == "words" else name: value for name, value in query.items()}
        answered, refused = post(client, path, [query, query | {"oov": "reject"}], **asked)
        assert got(client, path, **alone, **asked) == answered | {"model": "pieces", "version": 1}
        assert (refused["error"]["status"], refused["error"]["missing"]) == (404, ["lowest"])
        assert client.get(path, params=alone | asked | {"oov": "reject"}).status_code == 404


def test_a_text_is_read_as_pieces(client: httpx.Client) -> None:
    """They are its words, so that none is composed, whatever is asked of unknown ones."""
    counts = vocabulary_of(PIECES).counts
    weights = word_weights(counts, int(counts.sum()))
    total = (weights[:3:2, None] * VECTORS[:3:2].astype(np.float64)).sum(axis=0)
    answer = got(client, "/text-vector", text="Lowest", model="pieces")
    assert answer == got(client, "/text-vector", text="Lowest", model="pieces", oov="reject")
    assert (answer["n_words"], answer["out_of_vocabulary"]) == (2, [])
    vector = np.array(answer["vector"])
    axis = unit(total - vector * (total @ vector))  # what all texts have in common
    plain = np.array(got(client, "/text-vector", text="lower new", model="pieces")["vector"])
    assert abs(np.array(axis) @ plain) < 1e-4
    body = {"model": "pieces", "input": ["lowest", "low", "low\U0001f600"]}
    embedded = client.post("/v1/embeddings", json=body).json()
    np.testing.assert_allclose(embedded["data"][0]["embedding"], vector, atol=1e-6)
    np.testing.assert_allclose(embedded["data"][1]["embedding"], mean("low"), atol=1e-6)
    assert embedded["out_of_vocabulary"][2] == ["##<0xF0>", "##<0x9F>", "##<0x98>", "##<0x80>"]


def test_a_query_of_several_words_counts_them_not_their_pieces(client: httpx.Client) -> None:
    refused = client.get("/vector", params={"word": "low lowest", "model": "pieces"})
    assert (refused.status_code, refused.json()["words"]) == (422, ["low", "lowest"])


def test_answers_say_by_which_step_a_word_was_found(client: httpx.Client) -> None:
    both = {"model": "both"}
    assert got(client, "/vector", word="학교에서", **both)["matched"] == "tokenised"
    assert "matched" not in got(client, "/vector", word="학교", **both)
    found = got(client, "/neighbors", word="학교를", k=3, **both)
    assert (found["word"], found["matched"]) == ("학교", "tokenised")
    answers.named(answers.Neighbors).model_validate(found, strict=True)
    found = got(client, "/similarity", a="학교가", b="WORD3", **both)
    assert found["matched"] == {"학교": "tokenised", "word3": "normalised"}
    answers.named(answers.Similarity).model_validate(found, strict=True)
    assert got(client, "/neighbors", word="Low", model="pieces")["matched"] == "normalised"
    (summed,) = post(client, "/neighbors", [{"words": {"학교가": 1, "바다": 1}}], **both)
    assert summed["matched"] == {"학교": "tokenised"}
    answers.Neighbors.model_validate(summed, strict=True)


def test_what_the_tokenizer_leaves_out_is_said(client: httpx.Client) -> None:
    refused = client.get("/similarity", params={"a": "를", "b": "쀍뷁", "model": "both"}).json()
    assert refused["missing"] == ["를", "쀍뷁"]
    assert refused["detail"].endswith("Its tokenizer leaves out '를', as it does particles and marks.")
    blank = client.get("/vector", params={"word": " ", "model": "both"})
    assert (blank.status_code, blank.json()["detail"]) == (422, "There is no word in ' ' as this version reads text.")


def test_what_no_morpheme_tells_is_composed_of_n_grams(client: httpx.Client) -> None:
    """A single morpheme that is not there; a word of which most are not there, as a whole; and those of a text."""

    def composed(word: str) -> list[float]:
        rows = [
            int(np.flatnonzero(code == BUCKETS)[0]) for code in ft_ngram_hashes(word, 2, 3, 100_003) if code in BUCKETS
        ]
        return unit(ROWS[rows].mean(axis=0, dtype=np.float64))

    for asked, read in (("커피숍", "커피숍"), ("쵸커피릿", "쵸커피릿")):
        answer = got(client, "/vector", word=asked, model="both")
        assert (answer["word"], answer["composed_from"]) == (asked, "ngrams")
        np.testing.assert_allclose(unit(answer["vector"]), composed(read), atol=1e-6)
    text = got(client, "/text-vector", text="커피숍", model="both")
    assert [word["composed_from"] for word in text["composed"]] == ["ngrams"]
    np.testing.assert_allclose(text["vector"], composed("커피숍"), atol=1e-6)
    assert client.get("/vector", params={"word": "에서", "model": "both"}).status_code == 404
