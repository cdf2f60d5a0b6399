"""The official client is the judge of the shape."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import numpy as np
import pytest
from openai import APIStatusError, BadRequestError, NotFoundError, OpenAI, UnprocessableEntityError

from tests.app.search.conftest import Sample


@pytest.fixture
def client(served: httpx.Client) -> OpenAI:
    return OpenAI(base_url=f"{served.base_url}/v1", api_key="none", max_retries=0)


def test_one_word_is_its_direction(client: OpenAI, sample: Sample) -> None:
    """The client asks for base64 by itself and decodes it."""
    found = client.embeddings.create(input="king", model="m")
    expected = sample.vectors[0] / np.linalg.norm(sample.vectors[0])
    np.testing.assert_allclose(found.data[0].embedding, expected, atol=1e-6)
    assert (found.object, found.model, found.data[0].index) == ("list", "m@1", 0)
    assert (found.usage.prompt_tokens, found.usage.total_tokens) == (1, 1)


def test_texts_are_text_vectors(client: OpenAI, served: httpx.Client) -> None:
    texts = ["the king and word100", "queen"]
    found = client.embeddings.create(input=texts, model="m@1", encoding_format="float")
    single = served.get("/text-vector", params={"text": texts[0]}).json()["vector"]
    assert found.data[0].embedding == single
    assert [item.index for item in found.data] == [0, 1]
    assert found.usage.total_tokens == 5
    assert found.model_extra == {"out_of_vocabulary": [["the", "and"], []], "unknown": []}


def test_base64_is_little_endian_float32(served: httpx.Client) -> None:
    def embedding(encoding: str) -> object:
        body = {"input": ["king man"], "model": "m", "encoding_format": encoding}
        return served.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]

    decoded = np.frombuffer(base64.b64decode(str(embedding("base64"))), "<f4")
    np.testing.assert_array_equal(decoded, np.array(embedding("float"), np.float32))


@pytest.mark.parametrize(("model", "served_by"), [("m", "m@1"), ("m@2", "m@2"), ("m@next", "m@2"), ("m@latest", "m@1")])
def test_model_names(client: OpenAI, model: str, served_by: str) -> None:
    assert client.embeddings.create(input="king", model=model).model == served_by


def test_a_text_without_a_known_word_is_zero_and_told(client: OpenAI) -> None:
    """Of all three reasons, alone or among others, beside the loop or on it."""
    texts = ["king", "zebra okapi", "", "...", "queen"]
    for padding in (0, 2000):
        found = client.embeddings.create(input=[*texts, " " * padding], model="m")
        zero = [not np.any(item.embedding) for item in found.data]
        assert zero == [False, True, True, True, False, True]
        assert found.usage.prompt_tokens == 4
        assert found.model_extra is not None
        assert found.model_extra["unknown"] == [
            {"index": 1, "reason": "The vocabulary of 'm' version 1 does not have 'zebra', 'okapi'."},
            *({"index": index, "reason": "There is no word in this text."} for index in (2, 3, 5)),
        ]


@pytest.mark.parametrize(("text", "error"), [("zebra", NotFoundError), ("", UnprocessableEntityError)])
def test_a_text_without_a_known_word_is_refused_if_asked(
    client: OpenAI, text: str, error: type[APIStatusError]
) -> None:
    with pytest.raises(error, match=r"input\.2: ") as refused:
        client.embeddings.create(input=["king", "man", text], model="m", extra_body={"on_unknown": "error"})
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["index"] == 2


def test_as_many_texts_as_openai_takes_and_a_body_that_holds_them(served: httpx.Client) -> None:
    text = "king man" + " " * 8000
    answer = served.post("/v1/embeddings", json={"model": "m", "input": [text] * 2048, "encoding_format": "base64"})
    assert answer.status_code == 200
    vectors = {item["embedding"] for item in answer.json()["data"]}
    alone = served.post("/v1/embeddings", json={"model": "m", "input": text, "encoding_format": "base64"})
    assert vectors == {alone.json()["data"][0]["embedding"]}
    assert len(answer.json()["data"]) == 2048
    too_large = served.post("/v1/embeddings", json={"model": "m", "input": ["x" * 17_000] * 2048})
    assert (too_large.status_code, too_large.headers["content-type"]) == (413, "application/problem+json")
    assert served.post("/neighbors", json={"queries": [{"word": "x" * (1 << 20)}]}).status_code == 413


def test_null_is_as_absent(served: httpx.Client) -> None:
    given: dict[str, Any] = {"model": "m", "input": "king"}
    nulls = dict.fromkeys(["encoding_format", "dimensions", "user"])
    assert (
        served.post("/v1/embeddings", json=given | nulls).content == served.post("/v1/embeddings", json=given).content
    )


def test_errors_are_the_clients_own(client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="There is no model 'nope'"):
        client.embeddings.create(input="king", model="nope")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"dimensions": 5}, "This model has 12 dimensions, not 5"),
        ({"input": []}, "at least 1"),
        ({"input": [1, 2]}, "check_embedding_ctx_length=False"),
        ({"input": [[1, 2], [3]]}, "check_embedding_ctx_length=False"),
        ({"input": ["king"] * 2049}, "2048"),
        ({"extra_body": {"on_unknown": "skip"}}, "on_unknown"),
    ]
    for arguments, told in wrong:
        with pytest.raises((BadRequestError, UnprocessableEntityError), match=told):
            client.embeddings.create(**{"input": "king", "model": "m", **arguments})
    assert len(client.embeddings.create(input="king", model="m", dimensions=12, user="someone").data[0].embedding) == 12
