"""The official client is the judge of the shape."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import numpy as np
import pytest
from openai import BadRequestError, NotFoundError, OpenAI, UnprocessableEntityError

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
    assert found.model_extra == {"out_of_vocabulary": [["the", "and"], []]}


def test_base64_is_little_endian_float32(served: httpx.Client) -> None:
    def embedding(encoding: str) -> object:
        body = {"input": ["king man"], "model": "m", "encoding_format": encoding}
        return served.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]

    decoded = np.frombuffer(base64.b64decode(str(embedding("base64"))), "<f4")
    np.testing.assert_array_equal(decoded, np.array(embedding("float"), np.float32))


@pytest.mark.parametrize(("model", "served_by"), [("m", "m@1"), ("m@2", "m@2"), ("m@next", "m@2"), ("m@latest", "m@1")])
def test_model_names(client: OpenAI, model: str, served_by: str) -> None:
    assert client.embeddings.create(input="king", model=model).model == served_by


def test_errors_are_the_clients_own(client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="zebra"):
        client.embeddings.create(input=["king", "zebra"], model="m")
    with pytest.raises(NotFoundError):
        client.embeddings.create(input="king", model="nope")
    wrong: list[dict[str, Any]] = [
        {"dimensions": 5},
        {"input": ""},
        {"input": []},
        {"input": [1, 2]},
        {"input": ["king"] * 257},
    ]
    for arguments in wrong:
        with pytest.raises((BadRequestError, UnprocessableEntityError)):
            client.embeddings.create(**{"input": "king", "model": "m", **arguments})
    assert len(client.embeddings.create(input="king", model="m", dimensions=12, user="someone").data[0].embedding) == 12
