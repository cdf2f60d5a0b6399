"""What is documented is what is answered, for every question; what a row says is on its route and its command."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from app.search.direct import DirectRoute
from app.search.embeddings import EmbeddingsAnswer
from app.serving import answering
from app.serving.answers import BatchAnswer, named
from app.serving.asking import WordsParameters
from app.serving.questions import QUESTIONS, Question
from app.web.dependencies import RegistryDependency

Json = dict[str, Any]
MANY: Any = BatchAnswer

SINGLE: dict[str, list[Json]] = {
    "neighbors": [
        {"word": "king"},
        {"word": "king", "k": 60},
        {"word": "king", "metric": "csls"},
        {"text": "king of man"},
        {"word": "g5", "k": 60, "model": "graph"},
    ],
    "analogy": [
        {"a": "king", "b": "man", "c": "woman"},
        {"a": "king", "b": "man", "c": "woman", "method": "mul"},
        {"a": "g1", "b": "g2", "c": "g3", "model": "graph"},
    ],
    "similarity": [{"a": "왕", "b": "king"}],
    "vector": [{"word": "king"}, {"word": "king", "encoding": "base64"}],
    "words": [{"prefix": ""}, {"prefix": "zzz"}, {"prefix": "wo", "k": 3}],
    "odd_one_out": [{"word": ["king", "queen", "word3"]}],
    "senses": [
        {"word": "king"},
        {"word": "g2999", "k": 60, "model": "graph"},
        {"word": "g5", "k": 60, "exact": True, "model": "graph"},
    ],
    "text_vector": [{"text": "king of man"}, {"text": "king", "encoding": "base64"}],
    "contexts": [{"word": "king"}, {"word": "word9"}],
    "explain": [{"a": "king", "b": "queen"}, {"a": "king", "b": "word9"}],
    "cooccurrence": [{"a": "king", "b": "queen"}, {"a": "왕", "b": "king"}],
}
"""For GET; a question without an example fails."""
MANY_OF: dict[str, list[Json]] = {
    "neighbors": [
        {"word": "king"},
        {"words": {"king": 2, "man": -1}},
        {"vector": [1.0] * 12},
        {"text": "king of man"},
        {"word": "king", "prefix": "w", "metric": "csls"},
        {"word": "nothing"},
    ],
    "analogy": [{"positive": ["king", "woman"], "negative": ["man"]}, {"a": "king", "b": "man", "c": "x y"}],
    "similarity": [{"a": ["king", "queen"], "b": "man"}, {"a": "kingg", "b": "man"}],
    "vector": [{"word": "king"}, {"word": "nothing"}],
    "words": [{"prefix": "wo"}, {"prefix": "two words"}],
    "odd_one_out": [{"words": ["king", "queen", "word3"]}, {"words": ["king", "queen", "kingg"]}],
    "senses": [{"word": "king", "k": 20}, {"word": "nothing"}],
    "text_vector": [{"text": "king of man"}, {"text": "nothing known"}],
    "contexts": [{"word": "king", "lines": 0}, {"word": "kingg"}],
    "explain": [{"a": "king", "b": "queen", "k": 1}, {"a": "king", "b": "kingg"}],
    "cooccurrence": [{"a": "king", "b": "queen"}, {"a": "king", "b": "two words"}],
}


def by_name(question: Question) -> str:
    return question.name


def documented(served: httpx.Client, path: str, method: str) -> str:
    """The name of the model that the document gives for the answer."""
    operation = served.get("/openapi.json").json()["paths"][path][method]
    reference: str = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    return reference.rpartition("/")[2]


def holds(model: type[BaseModel], body: Json) -> None:
    """Each member of the body is one of the model, with a value that it allows."""
    model.model_validate(body, strict=True)


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_single_answers_are_as_documented(served: httpx.Client, question: Question) -> None:
    model = named(question.answer)
    assert documented(served, question.path, "get") == model.__name__
    for parameters in SINGLE[question.name]:
        response = served.get(question.path, params=parameters)
        assert response.status_code == 200, response.text
        holds(model, response.json())


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_batches_are_as_documented(served: httpx.Client, question: Question) -> None:
    model = MANY[question.answer]
    assert documented(served, question.path, "post") == model.__name__.replace("[", "_").replace("]", "_")
    response = served.post(question.path, json={"queries": MANY_OF[question.name]})
    assert response.status_code == 200, response.text
    holds(model, response.json())
    assert ["error" in result for result in response.json()["results"]].count(True) == 1


def test_embeddings_are_as_documented(served: httpx.Client) -> None:
    for encoding in ("float", "base64"):
        body = {"model": "m", "input": ["king", "queen of sheba"], "encoding_format": encoding}
        holds(EmbeddingsAnswer, served.post("/v1/embeddings", json=body).json())
    assert documented(served, "/v1/embeddings", "post") == "EmbeddingsAnswer"


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_the_items_of_a_batch_are_documented(served: httpx.Client, question: Question) -> None:
    document = served.get("/openapi.json").json()
    schemas = document["components"]["schemas"]

    def of(schema: Json) -> Json:
        found: Json = schemas[schema["$ref"].rpartition("/")[2]]
        return found

    body = document["paths"][question.path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    members = of(body)["properties"]
    assert members.keys() == {"queries", "model", "version"}
    assert of(members["queries"]["items"])["properties"].keys() == question.query.model_fields.keys()


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_a_row_is_on_its_routes(served: httpx.Client, question: Question) -> None:
    assert callable(getattr(answering, question.name))
    operations = served.get("/openapi.json").json()["paths"][question.path]
    assert operations["get"]["operationId"] == question.operation
    assert (operations["get"]["description"], operations["post"]["description"]) == (
        question.says,
        question.says_of_many,
    )
    assert {
        parameter["name"] for parameter in operations["get"]["parameters"]
    } == question.parameters.model_fields.keys()
    slugs = {
        slug
        for response in operations["get"]["responses"].values()
        for slug in response.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    assert {error.slug for error in question.raises} <= slugs


def test_a_route_that_would_skip_a_dependency_is_refused() -> None:
    async def endpoint(
        request: Request, registry: RegistryDependency, asked: Annotated[WordsParameters, Query()]
    ) -> Response:
        return Response()

    def who_is_there() -> None: ...

    DirectRoute("/words", endpoint, asked=WordsParameters)
    with pytest.raises(TypeError, match="would skip its dependencies"):
        DirectRoute("/words", endpoint, asked=WordsParameters, dependencies=[Depends(who_is_there)])
