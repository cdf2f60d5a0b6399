"""The official client is the judge of the shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from openai import NotFoundError, OpenAI

from tests.published import World, random_vectors


@pytest.fixture
def client(tmp_path: Path) -> Iterator[OpenAI]:
    world = World(tmp_path)
    for model in ("m", "영화평"):
        world.publish(model, ["a", "b", "c"], random_vectors(3, 4))
    world.move("m", "production", 1)
    with world.served() as served:
        yield OpenAI(base_url=f"{served.base_url}/v1", api_key="none", max_retries=0)
    world.close()


def test_models_are_listed_and_every_listed_one_makes_vectors(client: OpenAI) -> None:
    listed = client.models.list().data
    assert [model.id for model in listed] == ["m", "m@latest", "m@production", "영화평", "영화평@latest"]
    for model in listed:
        assert (model.object, model.owned_by) == ("model", "wordkin")
        assert client.models.retrieve(model.id) == model
        assert client.embeddings.create(input="a", model=model.id).model.endswith("@1")
    assert client.models.retrieve("m@1").id == "m@1"


@pytest.mark.parametrize(
    ("model", "told"), [("none", "no model 'none'"), ("m@none", "no alias 'none'"), ("m@7", "no version 7")]
)
def test_an_unknown_model_is_named(client: OpenAI, model: str, told: str) -> None:
    with pytest.raises(NotFoundError, match=told):
        client.models.retrieve(model)


def test_a_path_that_is_not_there_tells_so_as_a_message(client: OpenAI) -> None:
    response = httpx.get(str(client.base_url).removesuffix("v1/") + "v1/nothing")
    assert response.status_code == 404
    assert response.json()["message"] == response.json()["detail"]
