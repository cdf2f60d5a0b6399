"""``POST /v1/embeddings``: vectors of words and texts in the shape that OpenAI's clients expect."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.core import errors
from app.core.catalog import LATEST
from app.core.errors import InvalidRequest, WordkinError
from app.core.names import reference, split_reference
from app.search.responses import as_json
from app.serving import answers, asking
from app.serving.answering import numbers
from app.serving.registry import Registry
from app.serving.texts import text_vector
from app.web.dependencies import RegistryDependency
from app.web.problems import problem_responses

router = APIRouter(tags=["search"])

Input = Annotated[str, Field(min_length=1, max_length=asking.MAX_TEXT_LENGTH)]


class EmbeddingsRequest(asking.Query):
    """As OpenAI's, for text; `user` is accepted and not used."""

    input: Input | Annotated[list[Input], Field(min_length=1, max_length=asking.MAX_BATCH)]
    model: Annotated[str, Field(description="name, name@3 or name@alias", min_length=1, max_length=400)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int | None, Field(description="must be the model's own")] = None
    user: str | None = None


class Embedding(answers.Answer):
    object: Literal["embedding"]
    index: int
    embedding: answers.Vector


class Usage(answers.Answer):
    prompt_tokens: Annotated[int, Field(description="words")]
    total_tokens: int


class EmbeddingsAnswer(answers.Answer):
    """Vectors of length 1: a word's own direction, or the SIF mean of a text."""

    object: Literal["list"]
    data: list[Embedding]
    model: Annotated[str, Field(description="with the version's number: name@3")]
    usage: Usage
    out_of_vocabulary: Annotated[list[list[str]], Field(description="for each input, the words that were left out")]


@router.post(
    "/v1/embeddings",
    operation_id="create_embeddings",
    response_class=Response,
    responses={
        200: {"model": EmbeddingsAnswer, "description": "One vector an input"},
        **problem_responses(
            errors.InvalidRequest,
            errors.ModelNotFound,
            errors.VersionNotFound,
            errors.WordNotFound,
            errors.VersionNotLoaded,
            errors.DatabaseUnavailable,
        ),
    },
)
async def create_embeddings(registry: RegistryDependency, asked: EmbeddingsRequest) -> Response:
    """Make vectors of words or texts, for clients of OpenAI's API."""
    try:
        return await _embeddings(registry, asked)
    except WordkinError as error:
        error.members["message"] = error.detail  # the member that OpenAI's clients show
        raise


async def _embeddings(registry: Registry, asked: EmbeddingsRequest) -> Response:
    model, label = split_reference(asked.model)
    version = await registry.get(model, label or LATEST)
    if asked.dimensions not in {None, version.table.manifest.dim}:
        raise InvalidRequest(f"This model has {version.table.manifest.dim} dimensions, not {asked.dimensions}.")
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    found = [await text_vector(version, text) for text in texts]
    encoding = "base64" if asked.encoding_format == "base64" else "json"
    n_tokens = sum(vector.n_tokens for vector in found)
    body = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": i, "embedding": numbers(vector.vector, encoding)}
            for i, vector in enumerate(found)
        ],
        "model": reference(version.model, version.number),
        "usage": {"prompt_tokens": n_tokens, "total_tokens": n_tokens},
        "out_of_vocabulary": [vector.out_of_vocabulary for vector in found],
    }
    return Response(as_json(body), media_type="application/json")
